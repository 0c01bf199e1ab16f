"""Tags that frameworks log, and their meanings."""
