"""The models that can be sampled and trained by name. A new one is a module (see `order`) and an entry here.

Nothing is imported until it is asked for: `--help` stays quick.
"""

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from solutions.diffusion.errors import InvalidRequest


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
    "latent": Model("solutions.diffusion.latent", "ten kinds of clothing, denoised in the latents of an autoencoder"),
    "distilled": Model("solutions.diffusion.distill", "the same in 8, 4, 2 or 1 step, guidance included"),
    "cascade": Model("solutions.diffusion.cascade", "the shapes, first at 8 px and then at 32, from a caption"),
    "unclip": Model("solutions.diffusion.unclip", "the shapes, by way of an image embedding, from a caption"),
}


def find(name: str, draws: bool = False) -> ModuleType:
    """Return the module of the model so named, of those that draw if `draws`."""
    known = [each for each, model in MODELS.items() if model.draws or not draws]
    if name not in known:
        raise InvalidRequest(f"no model `{name}`: known are {', '.join(known)}")
    return import_module(MODELS[name].module)
