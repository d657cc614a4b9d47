CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  minutes INTEGER NOT NULL,
  done INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL
) STRICT;

INSERT INTO tasks (id, title, minutes, created_at) VALUES ('first', 'Water the plants', 10, '2026-01-05T08:00:00+00:00');
