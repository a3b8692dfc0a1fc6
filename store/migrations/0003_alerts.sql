-- The alerts that are active or ended lately, as the program wrote them. One row.
CREATE TABLE alerts (
	one   INTEGER PRIMARY KEY CHECK (one = 1),
	state BLOB NOT NULL
) STRICT;
