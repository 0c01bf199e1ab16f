"""Run comparison: the compared runs, their table and their charts."""
