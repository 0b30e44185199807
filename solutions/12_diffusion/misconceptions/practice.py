"""Known slips in the functions of `solutions/12_diffusion/practice.py`, each named when a reader makes it."""
