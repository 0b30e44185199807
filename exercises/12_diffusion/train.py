"""Exercise `train`, the capstone: from here on you are alone. Build a diffusion model, and train it until its images are right.

The images are quilts: 8 × 8 pixels in [-1, 1], sewn of four tiles of 4 × 4. Each tile has one of five patterns, whatever its
neighbours have, so there are 625 quilts. You are given 200 of them. Your model is asked for others: what it draws counts only
if it is a quilt, and none of the 200.

The grader calls `build_model()`, then `train(...)` once with 1,500 steps, on one core and with at most 60 seconds of computing (the
course's own answer takes about 5). Then it draws 200 images itself: DDIM in 20 steps without noise, x̂_0 clamped to [-1, 1], asking
your model for ε̂. You get points for each new quilt among them, all of them from three quarters of what a perfect model would draw.

Counting is the lesson's: alpha_bars[t] is ᾱ_t for t = 0..T and alpha_bars[0] = 1; x_0 is the clean image. The table is float32.
The file may be at most 256 KiB. What you wrote in the other exercises may be copied into this one.
"""

import torch  # noqa: F401  (for you)


def build_model():
    """Return a new, untrained torch module: model(x, t) is the predicted noise ε̂ of x's shape.

    x: (B, 1, 8, 8), float32. t: an integer tensor (B,), or one integer for all, in 1..T.
    """
    raise NotImplementedError("build_model")


def train(model, images, alpha_bars, steps):
    """Train the model to predict the noise, by `steps` steps of gradient descent. It returns nothing: the model is changed.

    images: (N, 1, 8, 8), float32, clean. alpha_bars: (T + 1,). Draw t, the noise and the images of a batch yourself; optimizer, batch
    and rate of learning are yours too.
    """
    raise NotImplementedError("train")
