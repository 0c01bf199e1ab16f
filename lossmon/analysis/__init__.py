"""What a verdict means for the run: what stopping saves, which weights to take, what comes."""
