"""Hardware readings: GPUs through NVML, the host through psutil and control groups."""
