-- One row an event that is a refusal. Text columns are NULL when the log does
-- not tell; a sender of '' is the null sender.
CREATE TABLE events (
	seq              INTEGER PRIMARY KEY, -- order of arrival
	id               BLOB    NOT NULL UNIQUE,
	time             INTEGER NOT NULL,    -- nanoseconds since 1970-01-01 UTC
	zone             INTEGER NOT NULL,    -- of the log, seconds east of UTC
	digits           INTEGER NOT NULL,    -- decimals of a second in the log
	host             TEXT,
	mta              TEXT    NOT NULL,
	service          TEXT,
	pid              INTEGER,
	queue_id         TEXT,
	kind             TEXT    NOT NULL,
	direction        TEXT,
	stage            TEXT,
	reason           TEXT,
	cause            TEXT,
	client_ip        TEXT,
	client_name      TEXT,
	client_port      INTEGER,
	helo             TEXT,
	proto            TEXT,
	user             TEXT,
	auth_method      TEXT,
	sender           TEXT,
	recipient        TEXT,
	sender_domain    TEXT,
	recipient_domain TEXT,
	code             INTEGER,
	class            TEXT,
	enhanced         TEXT,
	text             TEXT,
	remote_host      TEXT,
	remote_ip        TEXT,
	source           TEXT,
	line             INTEGER,
	offset           INTEGER
) STRICT;

CREATE INDEX events_by_time ON events (time);

-- How far each file, journal or stream was read. A file that was rotated away
-- keeps its own row until it is drained, so the key is where and what it is.
CREATE TABLE positions (
	source  TEXT    NOT NULL,
	origin  BLOB    NOT NULL, -- digest of the first line
	device  INTEGER NOT NULL,
	inode   INTEGER NOT NULL,
	offset  INTEGER NOT NULL, -- of the byte after the last line that is in events
	number  INTEGER NOT NULL, -- lines read
	cursor  TEXT    NOT NULL, -- of the journal
	updated INTEGER NOT NULL, -- event time of the last line, nanoseconds
	saved   INTEGER NOT NULL, -- when it was read, by the clock
	PRIMARY KEY (source, origin, device, inode)
) STRICT;

-- Events of each hour by what they were.
CREATE TABLE hourly_totals (
	hour      INTEGER NOT NULL, -- seconds since 1970-01-01 UTC
	host      TEXT    NOT NULL,
	mta       TEXT    NOT NULL,
	kind      TEXT    NOT NULL,
	direction TEXT    NOT NULL,
	reason    TEXT    NOT NULL,
	cause     TEXT    NOT NULL,
	class     TEXT    NOT NULL,
	events    INTEGER NOT NULL,
	PRIMARY KEY (hour, host, mta, kind, direction, reason, cause, class)
) STRICT, WITHOUT ROWID;

-- Events of each hour by who was concerned. Once an hour is over, only its
-- largest values stay; the rest is added up under the value ''.
CREATE TABLE hourly_top (
	hour   INTEGER NOT NULL,
	field  TEXT    NOT NULL, -- client_ip, network, user, sender_domain, recipient_domain; remote_host of outbound events
	value  TEXT    NOT NULL,
	kind   TEXT    NOT NULL,
	events INTEGER NOT NULL,
	first  INTEGER NOT NULL, -- nanoseconds
	last   INTEGER NOT NULL,
	PRIMARY KEY (hour, field, value, kind)
) STRICT, WITHOUT ROWID;

CREATE VIEW refusals AS
	SELECT strftime('%Y-%m-%d %H:%M:%S', time / 1000000000, 'unixepoch') AS utc, host, mta, kind, reason, cause,
	       client_ip, client_name, user, sender, recipient, code, enhanced, text, lower(hex(id)) AS id
	FROM events ORDER BY time;

CREATE VIEW hourly AS
	SELECT strftime('%Y-%m-%d %H:00', hour, 'unixepoch') AS utc, host, mta, kind, direction, reason, cause, class, events
	FROM hourly_totals ORDER BY hour;
