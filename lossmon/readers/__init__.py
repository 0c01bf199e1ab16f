"""Files to points: one module per family of formats."""
