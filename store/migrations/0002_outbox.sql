-- How far the events were shipped to the fleet. There is a row once shipping was
-- asked for; until then nothing is kept for it.
CREATE TABLE outbox (
	one      INTEGER PRIMARY KEY CHECK (one = 1),
	shipped  INTEGER NOT NULL, -- events.seq up to which the fleet has everything
	intended INTEGER NOT NULL, -- events.seq up to which the last attempt went
	lost     INTEGER NOT NULL  -- events that store.max_size deleted before they were shipped
) STRICT;

-- Causes that changed after their events were written.
CREATE TABLE revisions (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	id  BLOB    NOT NULL
) STRICT;

-- What happened that is no refusal, counted by the minute.
CREATE TABLE context (
	seq       INTEGER PRIMARY KEY AUTOINCREMENT,
	minute    INTEGER NOT NULL, -- nanoseconds since 1970-01-01 UTC
	host      TEXT,
	mta       TEXT    NOT NULL,
	kind      TEXT    NOT NULL,
	direction TEXT,
	client_ip TEXT,
	user      TEXT,
	sender    TEXT,
	recipient TEXT,
	events    INTEGER NOT NULL
) STRICT;
