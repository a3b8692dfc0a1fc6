package postfix

import "strings"

// Skips returns a test of the texts of a program by a quick look, nil where there is
// none: where it says true, Parse ignores the line. It is of the lines of which there are
// many.
func Skips(program string) func(text string) bool {
	if len(program) == tagCut {
		return nil
	}
	switch daemonOf(program) {
	case daemonSMTPD:
		return skipsSMTPD
	case daemonPostscreen:
		return func(text string) bool { return strings.HasPrefix(text, "CONNECT ") }
	case daemonDelivery:
		return skipsDelivery
	case daemonCleanup:
		return skipsCleanup
	}
	return nil
}

// skipsSMTPD is of lines about TLS and lost clients. They begin with no queue id, which
// has no vowels.
func skipsSMTPD(text string) bool {
	switch text[:min(len(text), 8)] {
	case "Anonymou", "Trusted ", "Untruste", "SSL_acce", "lost con", "timeout ":
		return true
	}
	return false
}

// skipsDelivery is of lines about TLS.
func skipsDelivery(text string) bool {
	return strings.HasPrefix(text, "Trusted ") || strings.HasPrefix(text, "Untruste")
}

// skipsCleanup is of "{Q}: message-id=…".
func skipsCleanup(text string) bool {
	i := strings.IndexByte(text, ':')
	return i >= 6 && text[0] < 'a' && strings.HasPrefix(text[i+1:], " message-id=")
}
