"""What the machine is doing: GPUs through NVML, the host through psutil and control groups."""
