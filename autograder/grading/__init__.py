"""Judging one submission. Start with `attempt`."""
