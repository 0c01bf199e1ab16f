"""Programs of system packages that tests start on this machine, each in a directory of its own."""
