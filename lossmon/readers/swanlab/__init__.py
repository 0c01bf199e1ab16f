"""Reader for SwanLab run files."""
