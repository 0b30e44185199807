"""Diffusion models from the first formula to text-to-image, made to be read: start with README.md, then `schedules`."""
