"""The command line: what it writes, and what it rejects with one line and exit code 2."""

import shutil

import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from solutions.diffusion.__main__ import main
from solutions.diffusion.data import CLASSES
from solutions.diffusion.figures.catalogue import FIGURES
from solutions.diffusion.figures.frames import animation, strip
from solutions.diffusion.figures.images import grid
from solutions.diffusion.interface import InvalidRequest
from solutions.diffusion.models.registry import MODELS
from solutions.diffusion.store import SHIPPED, weights_metadata

DRAWN = ", ".join(name for name, model in MODELS.items() if model.draws)


def run(*words):
    """Run the command with these arguments."""
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
    """For each image a row of x_t and one of x̂_0; one frame per step."""
    out = tmp_path / "strip.png"
    result = run("denoise", "--n", 2, "--steps", 6, "--frames", 3, "--out", out)
    assert result.exit_code == 0
    assert result.output == f"{out}, {tmp_path / 'strip.gif'}: 6 steps\n"
    with Image.open(out) as image, Image.open(out.with_suffix(".gif")) as moving:
        assert image.size == (3 * 50 + 2, 4 * 50 + 2)
        assert moving.n_frames == 6


def test_passes_of_other_sizes_and_of_embeddings_do_not_break_a_strip():
    """Embeddings are left out, an image of 2 pixels is enlarged to the last one's 4, and latents alone are rejected."""
    embedding, small, large, latents = (torch.zeros(1, 64), torch.ones(1, 3, 2, 2), torch.ones(1, 3, 4, 4), torch.zeros(1, 8, 4, 4))
    seen = [(500, embedding, embedding), (500, small, small), (0, large, large)]
    assert strip(seen, 9, cell=4).shape == (2 * 6 + 2, 2 * 6 + 2, 3)
    assert [frame.shape for frame in animation(seen, cell=4)] == [(2 * 8, 8, 3)] * 2
    with pytest.raises(InvalidRequest) as error:
        strip([(0, latents, latents)], 9)
    assert str(error.value) == "the steps of this model are not images, so there is nothing to show: choose a model that denoises pixels"


def test_images_of_any_side_are_shown_large_enough_to_see():
    """16 pixels are tripled, 32 doubled and 64 left alone: at least 48."""
    assert [grid(torch.zeros(1, 1, side, side), 1).shape[0] - 4 for side in (16, 32, 64)] == [48, 64, 64]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["sample", "--prompt", "sock"], f"unknown class `sock`: choose from {', '.join(CLASSES)}"),
        (["sample", "--model", "gpt"], f"unknown model `gpt`: choose from {DRAWN}"),
        (["sample", "--model", "classifier"], f"unknown model `classifier`: choose from {DRAWN}"),
        (["train", "gpt"], f"unknown model `gpt`: choose from {', '.join(MODELS)}"),
        (["sample", "--steps", "0"], "cannot sample in 0 steps: choose 1 to 1000"),
        (["sample", "--steps", "1001"], "cannot sample in 1001 steps: choose 1 to 1000"),
        (["sample", "--sampler", "euler"], "unknown sampler `euler`: choose from ddim, ddpm, dpm++, heun"),
        (["sample", "--sampler", "ddpm", "--steps", "5"], "ddpm always takes 1000 steps, not 5: omit --steps, or choose another --sampler"),
        (["sample", "--sampler", "dpm++", "--eta", "1"], "eta is for ddim, not for dpm++: omit --eta"),
        (["sample", "--n", "0"], "cannot draw 0 images: choose 1 to 4096"),
        (["sample", "--out", "grid.jpg"], "`grid.jpg` is not a .png file"),
        (["sample", "--eta", "1.5"], "eta is 1.5: choose 0 to 1"),
        (["sample", "--w", "nan"], "w is nan: choose a finite number"),
        (["emoji-grid", "bananna"], "prompt `bananna`: unknown word `bananna`; choose from banana, antenna"),
        (["emoji-grid", "banana", "--w", "inf"], "w is inf: choose a finite number"),
        (["emoji-measure", "--w", "nan"], "w is nan: choose a finite number"),
        (["emoji-grid", "banana", "--out", "grid.jpg"], "`grid.jpg` is not a .png file"),
        (["figures", "cat"], f"unknown figure `cat`: choose from {', '.join(FIGURES)}"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_refused_in_one_line(words, line):
    """The line lists the valid choices; the exit code is 2."""
    result = run(*words)
    assert result.exit_code == 2
    assert result.output == f"error: {line}\n"


def test_missing_weights_exit_with_code_1(tmp_path):
    """Exit code 1, and the command that makes the weights."""
    result = run("sample", "--weights", tmp_path)
    assert result.exit_code == 1
    assert result.output.startswith(
        f"error: {tmp_path}/fashion.safetensors is missing; make it with: python -m solutions.diffusion train fashion"
    )


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """Exit code 1 and the system's message, in one line. The output says "1 image", not "1 images"."""
    (tmp_path / "file").touch()
    result = run("sample", "--n", 1, "--steps", 1, "--out", tmp_path / "file" / "grid.png")
    assert (result.exit_code, result.output) == (1, f"error: [Errno 17] File exists: '{tmp_path / 'file'}'\n")
    assert ": 1 image in " in run("sample", "--n", 1, "--steps", 1, "--out", tmp_path / "grid.png").output


def test_every_command_has_help():
    """Each help text ends with a full stop."""
    for name, command in main.commands.items():
        assert command.help.strip().endswith("."), name


def test_a_trained_model_can_be_sampled(tmp_path, monkeypatch):
    """A short training writes weights and their .json into the given folder, and `sample --weights` uses them."""
    monkeypatch.chdir(tmp_path)
    result = run("--threads", 1, "train", "fashion", "--minutes", 0.005, "--out", "mine")
    assert result.exit_code == 0
    assert "mine/fashion.safetensors\n" in result.output
    assert run("sample", "--weights", "mine", "--n", 1, "--steps", 1, "--out", "one.png").exit_code == 0
    assert not list((tmp_path / "build").rglob("*.pt"))


@pytest.mark.parametrize("sampler", ["dpm++", "heun"])
def test_other_samplers_draw_and_are_shown(sampler, tmp_path):
    """A sample, and a strip of its steps."""
    for command in ("sample", "denoise"):
        assert run(command, "--sampler", sampler, "--n", 1, "--steps", 3, "--out", tmp_path / f"{command}.png").exit_code == 0
    with Image.open(tmp_path / "denoise.gif") as moving:
        assert moving.n_frames == 3


def test_calls_prints_a_row_for_each_sampler_and_number_of_calls(tmp_path, monkeypatch):
    """Heun's n steps are 2·n − 1 calls. The numbers go into the weights' .json."""
    monkeypatch.setattr("solutions.diffusion.trade_offs.BY_CALLS", {"ddim": (3,), "heun": (2,)})
    for file in SHIPPED.glob("fashion.*"):
        shutil.copy(file, tmp_path)
    result = run("calls", "--n", 100, "--weights", tmp_path)
    assert result.exit_code == 0
    head, *rows = [line.split("  ") for line in result.output.splitlines()]
    assert [each.strip() for each in head if each] == ["sampler", "network calls", "Fréchet distance", "coverage", "class accuracy"]
    assert [[each.strip() for each in row if each][:2] for row in rows] == [["ddim", "3"], ["heun", "3"]]
    assert weights_metadata("fashion", tmp_path)["metrics"]["by sampler and calls, w = 1"]["heun"]["3"]["n"] == 100


def test_emoji_grid_has_a_column_for_each_prompt_and_a_row_for_each_w(tmp_path, monkeypatch):
    """Two prompts at three w, in cells of 96 pixels; each row is sampled with its own w."""
    asked = []

    def sample(config):
        asked.append((config.prompt, config.n, config.w))
        return torch.zeros(config.n, 3, 32, 32)

    monkeypatch.setattr("solutions.diffusion.models.emoji.model.sample", sample)
    for prompts in (["red heart", "banana"], ["red heart,banana"]):
        result = run("emoji-grid", *prompts, "--w", 1, "--w", 2.5, "--w", 4, "--out", tmp_path / "grid.png")
        assert (result.exit_code, result.output) == (0, f"{tmp_path / 'grid.png'}\n")
        with Image.open(tmp_path / "grid.png") as image:
            assert image.size == (2 * 98 + 2, 3 * 98 + 2)
    assert asked == [("red heart,banana", 2, w) for w in (1, 2.5, 4)] * 2


def test_emoji_measure_without_weights_names_the_command_that_makes_them(tmp_path):
    """Exit code 1, in one line."""
    result = run("emoji-measure", "--weights", tmp_path)
    assert result.exit_code == 1
    path = tmp_path / "emoji.safetensors"
    assert result.output == f"error: {path} is missing; make it with: python -m solutions.diffusion train emoji --out {tmp_path}\n"


def test_emoji_data_says_what_is_missing(monkeypatch, tmp_path):
    """Exit code 1, and the packages to install."""
    monkeypatch.setattr("solutions.diffusion.models.emoji.data.NOTICES", (tmp_path / "copyright",))
    monkeypatch.setattr("solutions.diffusion.models.emoji.data.make_files.__defaults__", (tmp_path / "emoji32.xz", tmp_path, tmp_path))
    result = run("emoji-data")
    assert result.exit_code == 1
    assert result.output == f"error: {tmp_path / 'copyright'} is missing: apt-get install fonts-noto-color-emoji unicode-data\n"
