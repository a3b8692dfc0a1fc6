// Package parsers turns the lines of all sources into events: it opens each
// line's envelope, routes it to the grammar of its MTA, and correlates what the
// grammar read with what earlier lines told of the same session or message.
//
// Grammars are pure and live in their own packages; everything that is
// remembered between lines is remembered here, in tables that are bounded in
// entries and bytes and that age by the time of the log, not by the clock.
package parsers
