"""The sampler that a web page watches, and the data of the widgets."""

import base64
import json
import re
import subprocess
import sys

import numpy as np
import pytest

from solutions.diffusion import widgets
from solutions.diffusion.drawings import drawing, there
from solutions.diffusion.figures.images import to_pixels
from solutions.diffusion.interface import InvalidRequest, SamplingConfig
from solutions.diffusion.live import run
from solutions.diffusion.models import fashion
from tests.courses import ROOT

SHIPPED = ROOT / "lessons" / "12_diffusion" / "widgets"


def frames(**asked):
    seen = []
    run(asked, seen.append)
    return seen


def pixels(frame, key="x"):
    return np.frombuffer(base64.b64decode(frame[key]), np.uint8)


def test_the_frames_are_the_samplers_own_steps():
    seen = frames(model="fashion", prompt="bag", steps="4", w="1.5", seed="3")
    assert [(frame["step"], frame["t"]) for frame in seen] == [(1, 750), (2, 500), (3, 250), (4, 0)]
    drawn = fashion.sample(SamplingConfig(prompt="bag", n=drawing("fashion").images, steps=4, w=1.5, seed=3))
    assert pixels(seen[-1]).tolist() == to_pixels(drawn)[..., 0].ravel().tolist()


def test_a_frame_tells_where_the_network_looks_for_each_word():
    """The circle is above the square. Nowhere if no text is read, as with w = 0."""
    asked = {"model": "shapes", "prompt": "a small red circle above a large blue square", "steps": "4"}
    maps = frames(**asked, w="3")[-1]["maps"]
    assert [word for word, _ in maps] == asked["prompt"].split()
    seen = {word: np.frombuffer(base64.b64decode(text), np.uint8).reshape(2, 8, 8) for word, text in maps}
    for word, half in {"circle": slice(0, 4), "large": slice(4, 8), "blue": slice(4, 8), "square": slice(4, 8)}.items():
        assert seen[word][:, half].mean() > seen[word].mean(), word
    assert "maps" not in frames(**asked, w="0")[-1]
    assert "maps" not in frames(model="fashion", steps="1")[-1]


REFUSED = {
    "a model that is not there": ({"model": "../../etc"}, f"unknown model `../../etc`: choose from {', '.join(there())}"),
    "too many steps": ({"steps": "5000"}, "steps is `5000`: choose 1 to 100"),
    "no number": ({"w": "much"}, "w is `much`: choose -2 to 12"),
    "not a number at all": ({"w": "nan"}, "w is `nan`: choose -2 to 12"),
    "a seed out of range": ({"seed": "-1"}, "seed is `-1`: choose 0 to 2.14748e+09"),
    "a class that is not there": ({"prompt": "cat"}, f"unknown class `cat`: choose from {', '.join(fashion.CLASSES)}"),
    "a sampler that is not there": ({"sampler": "euler"}, "unknown sampler `euler`: choose from ddim, ddpm, dpm++, heun"),
}


@pytest.mark.parametrize(("asked", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_drawn_is_said_in_one_line(asked, words):
    with pytest.raises(InvalidRequest) as refusal:
        frames(**asked)
    assert str(refusal.value) == words


def test_the_process_sends_a_frame_only_on_request_and_stops_when_told_to():
    """A dialogue over its pipes: two frames of five, then stop. A late reply is not mistaken for a request. Then another run."""
    lines = [
        {"id": 1, "steps": "5"},
        {"id": 1, "go": True},
        {"id": 1, "go": False},
        {"id": 1, "go": False},
        {"id": 2, "w": "much"},
        {"id": 3, "steps": "1"},
        {"id": 3, "go": True},
    ]
    done = subprocess.run(
        [sys.executable, "-m", "solutions.diffusion.live"],
        input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    said = [(answer["id"], answer["kind"]) for answer in map(json.loads, done.stdout.splitlines())]
    assert said == [(1, "frame"), (1, "frame"), (1, "stopped"), (2, "refused"), (3, "frame"), (3, "done")]
    assert (done.returncode, done.stderr) == (0, "")


def provided(name):
    """Return what a script of data provides."""
    return json.loads(re.fullmatch(r"course\.provide\((.*)\);\n", (SHIPPED / name).read_text(), re.DOTALL)[1])


def test_the_shipped_data_are_what_is_computed_today():
    assert provided("data/images.js") == widgets.images()
    assert provided("recorded/index.js") == widgets.RECORDED
    assert {path.stem for path in (SHIPPED / "recorded").iterdir()} == {*widgets.RECORDED, "index"}


@pytest.mark.parametrize("name", ["boots-5-steps", "bags"])
def test_a_recording_is_what_the_model_draws(name):
    """Nearly every pixel agrees within two grey levels, since another machine may round differently."""
    recording = provided(f"recorded/{name}.js")
    seen = widgets.record(recording["request"])
    assert [frame["t"] for frame in seen] == [frame["t"] for frame in recording["frames"]]
    for key in ("x", "x0"):
        apart = np.abs(pixels(seen[-1], key).astype(int) - pixels(recording["frames"][-1], key))
        assert np.quantile(apart, 0.95) <= 2


def test_a_long_recording_keeps_its_last_frame():
    frames = provided("recorded/boots-ddpm.js")["frames"]
    assert (len(frames), frames[-1]["t"], frames[-1]["step"]) == (40, 0, 1000)
