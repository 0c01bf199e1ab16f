"""Analysis of a verdict: what stopping saves, which weights to take, what comes."""
