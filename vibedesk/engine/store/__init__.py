"""One SQLite file per home, owned by one thread."""
