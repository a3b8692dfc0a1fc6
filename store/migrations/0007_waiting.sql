-- Hours whose events are not all in hourly_top, as a log is caught up with: those of
-- the events behind since are added when the hour is over.
CREATE TABLE hours_waiting (
	hour  INTEGER PRIMARY KEY, -- seconds since 1970-01-01 UTC
	since INTEGER NOT NULL     -- events.seq
) STRICT;
