// Package classifier says why a refusal happened: by the event itself, and by
// what earlier events told of its client, its user, its session and its
// domains. Who logged in, who sent accepted mail, which domains are ours, who
// else wants one domain from us, whether anybody's login succeeds: from such
// the rules decide. It reads no clock and does no I/O; what it remembers is
// bounded.
package classifier
