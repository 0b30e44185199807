"""The models that can be sampled and trained by name. To add one, write a module in this package (see `interface`) and an entry here.

A model is imported only when it is used, so `--help` stays fast.
"""

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from solutions.diffusion.errors import InvalidRequest


@dataclass(frozen=True)
class Model:
    """The module of a model, in this package, and what it draws."""

    module: str
    about: str
    draws: bool = True  # False: it can be trained but not sampled


MODELS = {
    "fashion": Model("fashion", "ten kinds of clothing at 16 px, by class"),
    "classifier": Model("classifier", "recognises the ten kinds: the feature extractor of the measures", draws=False),
    "shapes": Model("captioned", "one or two coloured shapes at 32 px, from a caption"),
    "latent": Model("latent", "ten kinds of clothing, denoised in the latent space of an autoencoder"),
    "distilled": Model("distill", "the same clothing in 8, 4, 2 or 1 steps, guidance included"),
    "cascade": Model("cascade", "the shapes, first at 8 px and then at 32, from a caption"),
    "unclip": Model("unclip", "the shapes, from a caption through an image embedding"),
    "emoji": Model("emoji.model", "emoji in colour at 32 px, from words, denoised in latents"),
}


def find(name: str, draws: bool = False) -> ModuleType:
    """Return the module of the model called `name`; with `draws`, only models that draw count."""
    known = [each for each, model in MODELS.items() if model.draws or not draws]
    if name not in known:
        raise InvalidRequest(f"unknown model `{name}`: choose from {', '.join(known)}")
    return import_module(f"solutions.diffusion.models.{MODELS[name].module}")
