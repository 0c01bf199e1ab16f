"""Arguments of the commands: how they are declared, and the runs that they name."""
