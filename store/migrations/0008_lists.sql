-- The top lists of hours that were over when they were written, as a log was caught
-- up with. What came late of such an hour is in hourly_top.
CREATE TABLE hourly_lists (
	hour  INTEGER NOT NULL, -- seconds since 1970-01-01 UTC
	field TEXT    NOT NULL,
	rest  INTEGER NOT NULL, -- 1: some values have no name in it
	list  TEXT    NOT NULL, -- of each value: kind, events, first, last, how many bytes the value has, the value
	PRIMARY KEY (hour, field)
) STRICT, WITHOUT ROWID;
