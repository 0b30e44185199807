"""The command line: what it writes, and what it refuses in one line with exit code 2."""

import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from solutions.diffusion.__main__ import main
from solutions.diffusion.data import CLASSES
from solutions.diffusion.figures import FIGURES
from solutions.diffusion.frames import animation, strip
from solutions.diffusion.images import grid
from solutions.diffusion.interface import InvalidRequest
from solutions.diffusion.models import MODELS

DRAWN = ", ".join(name for name, model in MODELS.items() if model.draws)


def run(*words):
    """Run the command with these words."""
    return CliRunner().invoke(main, [str(word) for word in words])


def test_sample_writes_a_grid(tmp_path):
    """Four images of 48 pixels, two in a row, with gaps of 2."""
    out = tmp_path / "new" / "grid.png"
    result = run("sample", "--prompt", "ankle boot", "--n", 4, "--steps", 2, "--out", out)
    assert result.exit_code == 0
    assert result.output.startswith(f"{out}: 4 images in ")
    with Image.open(out) as image:
        assert image.size == (102, 102)


def test_same_seed_same_file(tmp_path):
    """Two runs write the same bytes."""
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    for file in files:
        assert run("sample", "--n", 2, "--steps", 2, "--seed", 5, "--out", file).exit_code == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_denoise_writes_a_strip_and_an_animation(tmp_path):
    """For each image a row of x_t and one of x̂_0; one frame a step."""
    out = tmp_path / "strip.png"
    result = run("denoise", "--n", 2, "--steps", 6, "--frames", 3, "--out", out)
    assert result.exit_code == 0
    assert result.output == f"{out}, {tmp_path / 'strip.gif'}: 6 steps\n"
    with Image.open(out) as image, Image.open(out.with_suffix(".gif")) as moving:
        assert image.size == (3 * 50 + 2, 4 * 50 + 2)
        assert moving.n_frames == 6


def test_walks_of_other_sizes_and_of_embeddings_do_not_break_a_strip():
    """An embedding is left out, an image of 2 pixels is enlarged to the last one's 4; latents alone are refused."""
    embedding, small, large, latents = (torch.zeros(1, 64), torch.ones(1, 3, 2, 2), torch.ones(1, 3, 4, 4), torch.zeros(1, 8, 4, 4))
    seen = [(500, embedding, embedding), (500, small, small), (0, large, large)]
    assert strip(seen, 9, cell=4).shape == (2 * 6 + 2, 2 * 6 + 2, 3)
    assert [frame.shape for frame in animation(seen, cell=4)] == [(2 * 8, 8, 3)] * 2
    with pytest.raises(InvalidRequest) as error:
        strip([(0, latents, latents)], 9)
    assert str(error.value) == "this model's steps are not images, so there is nothing to show: known is a model that denoises pixels"


def test_pictures_of_any_side_are_shown_large_enough_to_see():
    """16 pixels three times, 32 twice, 64 as they are: at least 48."""
    assert [grid(torch.zeros(1, 1, side, side), 1).shape[0] - 4 for side in (16, 32, 64)] == [48, 64, 64]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["sample", "--prompt", "sock"], f"`sock` is not drawn here: known are {', '.join(CLASSES)}"),
        (["sample", "--model", "gpt"], f"no model `gpt`: known are {DRAWN}"),
        (["sample", "--model", "classifier"], f"no model `classifier`: known are {DRAWN}"),
        (["train", "gpt"], f"no model `gpt`: known are {', '.join(MODELS)}"),
        (["sample", "--steps", "0"], "0 steps: known are 1 to 1000"),
        (["sample", "--steps", "1001"], "1001 steps: known are 1 to 1000"),
        (["sample", "--sampler", "euler"], "no sampler `euler`: known are ddim, ddpm"),
        (["sample", "--sampler", "ddpm", "--steps", "5"], "ddpm walks all 1000 steps, not 5: leave --steps out, or use --sampler ddim"),
        (["sample", "--n", "0"], "0 images: known are 1 to 4096"),
        (["sample", "--out", "grid.jpg"], "`grid.jpg` is no image file: known is .png"),
        (["sample", "--eta", "1.5"], "eta 1.5: known are 0 to 1"),
        (["sample", "--w", "nan"], "w nan: known are finite numbers"),
        (["figures", "cat"], f"no figure `cat`: known are {', '.join(FIGURES)}"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_refused_in_one_line(words, line):
    """The line names what is known; the code is 2."""
    result = run(*words)
    assert result.exit_code == 2
    assert result.output == f"error: {line}\n"


def test_missing_weights_are_not_finished_work(tmp_path):
    """Code 1, and the command that makes them."""
    result = run("sample", "--weights", tmp_path)
    assert result.exit_code == 1
    assert result.output.startswith(f"error: {tmp_path}/fashion.safetensors is missing: python -m solutions.diffusion train fashion")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """Code 1 and the system's own words, in one line; a single image is one image."""
    (tmp_path / "file").touch()
    result = run("sample", "--n", 1, "--steps", 1, "--out", tmp_path / "file" / "grid.png")
    assert (result.exit_code, result.output) == (1, f"error: [Errno 17] File exists: '{tmp_path / 'file'}'\n")
    assert ": 1 image in " in run("sample", "--n", 1, "--steps", 1, "--out", tmp_path / "grid.png").output


def test_every_command_has_help():
    """A sentence each, that ends."""
    for name, command in main.commands.items():
        assert command.help.strip().endswith("."), name


def test_a_trained_model_can_be_sampled(tmp_path, monkeypatch):
    """TrainingOptions for a moment writes weights and their .json where asked, and `sample --weights` draws with them."""
    monkeypatch.chdir(tmp_path)
    result = run("--threads", 1, "train", "fashion", "--minutes", 0.005, "--out", "mine")
    assert result.exit_code == 0
    assert "mine/fashion.safetensors\n" in result.output
    assert run("sample", "--weights", "mine", "--n", 1, "--steps", 1, "--out", "one.png").exit_code == 0
    assert not list((tmp_path / "build").rglob("*.pt"))
