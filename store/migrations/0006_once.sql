-- An event is looked for by the second that its line shows, by the log's own clock,
-- and its id. An index of ids alone has no order of time, so that each event changed
-- a page of its own in it: three quarters of the time that a large store took for one.
-- The second is that of the line, whatever time zone it was taken for. A line without a
-- year that is read again when its day has come once more is taken for another.
ALTER TABLE revisions ADD COLUMN event INTEGER; -- events.seq

UPDATE revisions SET event = (SELECT events.seq FROM events WHERE events.id = revisions.id);

-- The index belongs to the column's UNIQUE, and goes without writing the table anew
-- once it is one of its own.
PRAGMA writable_schema = ON;

UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL UNIQUE', 'NOT NULL') WHERE type = 'table' AND name = 'events';

UPDATE sqlite_schema SET name = 'events_by_id', sql = 'CREATE UNIQUE INDEX events_by_id ON events (id)' WHERE name = 'sqlite_autoindex_events_1';

PRAGMA writable_schema = RESET;

DROP INDEX events_by_id;

CREATE UNIQUE INDEX events_once ON events (time / 1000000000 + zone, id);
