"""Reader for SQLite databases and journals of experiment trackers."""
