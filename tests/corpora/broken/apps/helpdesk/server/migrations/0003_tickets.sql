CREATE TABLE tickets (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  subject TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'waiting', 'solved')),
  created_at TEXT NOT NULL
) STRICT;

CREATE INDEX tickets_by_user ON tickets (user_id, created_at);
