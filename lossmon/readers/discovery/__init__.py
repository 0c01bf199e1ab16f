"""Find the log files below a path and group them into runs."""
