"""Points to findings: pure, incremental, without clock, files or screen."""
