"""The animation of the README."""

import pytest
from PIL import Image

from solutions.diffusion.figures.film import film, save_film
from solutions.diffusion.interface import InvalidRequest


@pytest.mark.parametrize("model", ["fashion", "latent"])
def test_each_prompt_has_a_column_and_each_step_a_frame(model, tmp_path):
    """Latents are decoded; the bar is full at the end, and the last frame is kept by itself."""
    frames = film(model, ("bag", "sneaker"), steps=3)
    assert len(frames) == 3
    assert len({frame.tobytes() for frame in frames}) == 3
    save_film(frames, tmp_path / "film.png")
    with Image.open(tmp_path / "film.png") as moving, Image.open(tmp_path / "film-still.png") as still:
        assert (moving.n_frames, moving.info["loop"]) == (3, 0)
        assert still.tobytes() == frames[-1].tobytes()


def test_a_model_that_has_no_prompts_of_its_own_asks_for_some():
    with pytest.raises(InvalidRequest, match=r"^no prompts are known for `unclip`: name some, or choose from shapes, fashion, emoji$"):
        film("unclip")
