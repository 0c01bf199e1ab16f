"""Export of runs to files: points as CSV, JSON lines or TensorBoard event files."""
