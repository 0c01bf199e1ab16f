"""What the tags that frameworks log mean."""
