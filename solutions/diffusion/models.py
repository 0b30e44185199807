"""The models that can be sampled and trained by name. A new one is a module (see `order`) and an entry here.

Nothing is imported until it is asked for: `--help` stays quick.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """Where a model lives and what it draws."""

    module: str
    about: str
    draws: bool = True  # False: it can be trained, and sampled it can't


MODELS = {
    "fashion": Model("solutions.diffusion.fashion", "ten kinds of clothing at 16 px, by class"),
    "classifier": Model("solutions.diffusion.classifier", "tells the ten kinds apart: what the measures see with", draws=False),
    "shapes": Model("solutions.diffusion.captioned", "one or two coloured shapes at 32 px, from a caption"),
}
