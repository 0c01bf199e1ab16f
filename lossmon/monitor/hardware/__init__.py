"""Hardware of runs: the readings to show, and the findings about them."""
