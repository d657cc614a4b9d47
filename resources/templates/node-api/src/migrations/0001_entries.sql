CREATE TABLE entries (
  id TEXT PRIMARY KEY,
  text TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE INDEX entries_by_age ON entries (created_at);
