-- What is to be done with a file stands by itself; it was in cursor.
ALTER TABLE positions ADD COLUMN state TEXT NOT NULL DEFAULT 'open'; -- open, ended, skipped

UPDATE positions SET state = CASE cursor WHEN 'end' THEN 'ended' ELSE 'skipped' END, cursor = '' WHERE cursor IN ('end', 'old');
