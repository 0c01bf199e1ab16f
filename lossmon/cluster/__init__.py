"""Jobs of schedulers: from the environment, from Slurm, and the runs that belong to them."""
