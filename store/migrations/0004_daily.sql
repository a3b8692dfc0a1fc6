-- hourly_top added up by day, once the day is over, so that long spans are told
-- quickly. The largest values stay; the rest is added up under the value ''.
CREATE TABLE daily_top (
	day    INTEGER NOT NULL, -- seconds since 1970-01-01 UTC
	field  TEXT    NOT NULL,
	value  TEXT    NOT NULL,
	kind   TEXT    NOT NULL,
	events INTEGER NOT NULL,
	first  INTEGER NOT NULL, -- nanoseconds
	last   INTEGER NOT NULL,
	bound  INTEGER NOT NULL, -- events of this kind that a value had at most beside those under its name; only with ''
	PRIMARY KEY (day, field, value, kind)
) STRICT, WITHOUT ROWID;

-- The fields of the days that are in daily_top.
CREATE TABLE daily (
	day   INTEGER NOT NULL,
	field TEXT    NOT NULL,
	late  INTEGER NOT NULL, -- 1: events may have come since the small values were added up
	PRIMARY KEY (day, field)
) STRICT, WITHOUT ROWID;
