// Package doctor reads a mail server's configuration, as the server's own tools
// print it, and says which refusals it invites: rules in the wrong order, logins
// that cannot work, networks and domains that are missing or too wide, an open
// relay. It runs nothing and reads no files: who calls it brings the texts, and
// a [System] for what a configuration only points to.
package doctor
