// Package parsers turns the lines of all sources into events. In go batches of
// lines, out come [relaylens.Event]s, each valid during the call of emit that
// hands it on.
//
// A [Parser] works in two steps, which may run on two goroutines:
//
//   - Scan opens each line's envelope (parsers/syslog), finds the mail server by
//     the program's name, and has its grammar read the text (parsers/postfix, exim,
//     sendmail). This knows nothing of earlier lines, but for how they were framed.
//   - Take adds what earlier lines told of the same session or message: a bounce
//     gets its client, two lines about one refusal become one event.
//
// Grammars are pure. Whatever is remembered between lines is remembered here, by
// the correlator, in tables that are bounded in entries and bytes and that age by
// the time of the log, not by the clock. A refusal whose line lacks what a later
// one tells (Sendmail's sender) is held back for a while; OldestHeld says from
// where a source has to be read again if the program ends now.
package parsers
