"""Random faults under load on a small fleet, and what must hold afterwards: `make chaos` and `make soak`."""
