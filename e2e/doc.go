// Package e2e runs relaylens over the logs of real Postfix, Exim and Sendmail
// while an SMTP client makes them refuse mail, and compares what it says with
// what the client did and was answered. The tests carry the tag e2e.
//
// Everything happens in namespaces of its own: the packages are unpacked, not
// installed, over an overlay of the system; the network is a loopback to which
// the documentation addresses belong; when the test process ends, so does
// every server. It takes root, and apt-get to fetch the packages with.
package e2e
