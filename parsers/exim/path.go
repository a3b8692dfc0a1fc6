package exim

import (
	"strings"

	"github.com/relaylens/relaylens/parsers/smtp"
)

// skipAddress finds the end of an address that Exim has parsed: a space, an angle
// bracket or a parenthesis that is not quoted, or the end of s; -1 when a quoted string is
// not closed. A backslash quotes outside of quoted strings too, so an address
// may have a lone quote in it: a\"b@example.com. parse.c, read_local_part
func skipAddress(s string, i int) int {
	for i += smtp.PlainLength(s[i:]); i < len(s); i++ {
		if !special[s[i]] {
			continue
		}
		switch s[i] {
		case ' ', '<', '>', '(':
			return i
		case '\\':
			i++
		case '"':
			if i = closingQuote(s, i); i < 0 {
				return -1
			}
		}
	}
	return len(s)
}

// special are the characters that skipAddress looks at.
var special = [256]bool{' ': true, '<': true, '>': true, '(': true, '\\': true, '"': true}

// closingQuote finds the end of the quoted string that begins at i, or -1.
func closingQuote(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}

// closingParenthesis finds the end of the comment that begins at i, or -1.
// Quotes mean nothing in it. parse.c, skip_comment
func closingParenthesis(s string, i int) int {
	for level := 0; i < len(s); i++ {
		switch s[i] {
		case '(':
			level++
		case ')':
			if level--; level == 0 {
				return i
			}
		case '\\':
			i++
		}
	}
	return -1
}

// cutPath reads an address in angle brackets at the start of s.
func cutPath(s string) (address, rest string, ok bool) {
	if s == "" || s[0] != '<' {
		return "", s, false
	}
	end := skipAddress(s, 1)
	if end < 0 || end >= len(s) || s[end] != '>' {
		return "", s, false
	}
	return s[1:end], s[end+1:], true
}

// cutAddress reads an address without brackets, up to a space or the end of s.
func cutAddress(s string) (address, rest string, ok bool) {
	end := skipAddress(s, 0)
	for end > 0 && end < len(s) && s[end] == '(' {
		end = skipAddress(s, end+1) // a command that a message is piped to
	}
	if end <= 0 || end < len(s) && s[end] != ' ' {
		return "", s, false
	}
	return s[:end], s[end:], true
}

// balanced reports that s ends in no quoted string.
func balanced(s string) bool {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			if i = closingQuote(s, i); i < 0 {
				return false
			}
		}
	}
	return true
}

// argumentLength is where Exim cuts an argument from 4.95 on; ≤ 4.94 did not.
// smtp_in.c, smtp_handle_acl_fail
const argumentLength = 100

// argumentEnd finds the colon that ends an argument of RCPT, MAIL or VRFY. It
// stands as the client sent it, with its comments, phrase and parameters, but
// Exim has parsed it, so no colon and space that are part of it stand bare.
// It is len(s) when no text follows, and -1 when s is not such an argument.
func argumentEnd(s string) int {
	inside := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			i = closingQuote(s, i)
		case '(':
			i = closingParenthesis(s, i)
		case '<':
			inside = true
		case '>':
			inside = false
		case ':':
			if inside || i+1 < len(s) && s[i+1] != ' ' {
				continue
			}
			if s[0] == '@' && strings.Contains(s[i+1:], ": ") {
				return -1 // a source route without brackets may have spaces in it
			}
			return i
		}
		if i < 0 {
			return -1
		}
	}
	if inside {
		return -1
	}
	return len(s)
}

// argumentAddress is the address in an argument.
func argumentAddress(s string) string {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			i = closingQuote(s, i)
		case '(':
			i = closingParenthesis(s, i)
		case '<':
			inner := strings.TrimLeft(s[i+1:], " ")
			end := skipAddress(inner, 0)
			if end < 0 || !strings.HasPrefix(strings.TrimLeft(inner[end:], " "), ">") {
				return ""
			}
			return inner[:end]
		}
		if i < 0 {
			return ""
		}
	}
	address, _, _ := cutAddress(s)
	return address
}
