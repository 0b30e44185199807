"""The model in the reader's browser: from files, from any web server and from `course serve`; and what it draws is what Python draws."""

import base64
import gzip
import hashlib
import json
import re

import numpy as np
import pytest
import yaml
from playwright.sync_api import Error, expect

from autograder.course.loading import read_course
from autograder.web import pages
from autograder.web.app import write_site
from autograder.web.pages import ONNX
from autograder.web.server import POLICY
from solutions.diffusion.live import run
from tests.autograder.web.conftest import serving
from tests.autograder.web.test_browser import demand_nothing_broken, press, widget
from tests.autograder.web.test_guard import ask

pytestmark = pytest.mark.xdist_group("browser")

DRAW = """async (asked) => {
  const { inPage } = await course.use("widgets/model.js");
  return new Promise((resolve, reject) => {
    const frames = [];
    (window.draw ??= inPage(new URL("onnx/", document.baseURI)))(asked, { say() {}, frame: (one) => frames.push(one), done: () => resolve(frames), failed: (words) => reject(new Error(words)) });
  });
}"""
OFFER = "Let the model draw in this page"


@pytest.fixture
def without_torch(root, workspace, monkeypatch):
    """The site as it is served where the model lacks a package."""
    monkeypatch.setattr(pages, "_installed", lambda package: package != "torch")
    with serving(root, workspace) as served:
        yield served


@pytest.fixture(scope="module")
def drawing(visit_once, written):
    """A page in which one image after another is drawn."""
    return visit_once((written.place / "search.html").as_uri())


def pixels(frames, key):
    return np.stack([np.frombuffer(base64.b64decode(frame[key]), np.uint8) for frame in frames]).astype(int)


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "emoji", "prompt": "purple banana", "sampler": "ddim", "steps": 4, "w": 3, "seed": 0},
        {"model": "fashion", "prompt": "bag", "sampler": "ddim", "steps": 6, "w": 1.5, "seed": 3},
        {"model": "fashion", "prompt": "", "sampler": "ddim", "steps": 2, "w": 0, "seed": 2147483647},
        {"model": "shapes", "prompt": "a small red circle above a large blue square", "sampler": "ddim", "steps": 6, "w": 3, "seed": 0},
        {"model": "shapes", "prompt": "a green triangle", "sampler": "ddim", "steps": 2, "w": 1, "seed": 5},
    ],
    ids=lambda asked: f"{asked['model']}, w = {asked['w']}",
)
def test_the_page_draws_what_python_draws(drawing, asked):
    """The same seed is the same noise, and every frame and every map of a word agrees, nearly every pixel within two grey levels."""
    drawn = drawing.evaluate(DRAW, asked)
    expected = []
    run(asked, expected.append)
    told = ("step", "of", "t", "n", "side", "colours")
    assert [[frame[key] for key in told] for frame in drawn] == [[frame[key] for key in told] for frame in expected]
    for key in ("x", "x0"):
        assert np.quantile(np.abs(pixels(drawn, key) - pixels(expected, key)), 0.98) <= 2
    for one, other in zip(drawn, expected, strict=True):
        assert [word for word, _ in one.get("maps", [])] == [word for word, _ in other.get("maps", [])]
        for (_, got), (_, wanted) in zip(one.get("maps", []), other.get("maps", []), strict=True):
            assert np.abs(pixels([{"map": got}], "map") - pixels([{"map": wanted}], "map")).max() <= 3


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a RED heart!", None),
        ("blue bananna", "The model does not know the word bananna: choose from banana"),
        ("кот", "The model does not know the word кот: choose from the names of things and colours, such as cat, rocket, heart, banana, purple."),
        ("7" * 300, "The model does not know the word 777777777777777777777777777777…: choose from the names of things and colours"),
        ("?!", "Write a few words."),
    ],
    ids=["case and punctuation", "close", "another alphabet", "long", "no word"],
)
def test_a_caption_is_read_whatever_its_case_and_punctuation_and_what_is_unknown_is_said(drawing, prompt, words):
    asked = {"model": "emoji", "prompt": prompt, "sampler": "ddim", "steps": 1, "w": 3, "seed": 0}
    if words is None:
        assert [word for word, _ in drawing.evaluate(DRAW, asked)[0]["maps"]] == ["a", "red", "heart"]
    else:
        with pytest.raises(Error, match=re.escape(words)):
            drawing.evaluate(DRAW, asked)


def draws(page):
    """Ask for an image by keyboard, and wait for it."""
    found = widget(page, "sampler")
    assert not page.evaluate("() => performance.getEntriesByType('resource').some((one) => one.name.includes('/onnx/'))")
    found.get_by_role("button", name=OFFER).focus()
    press(page, "Enter")
    expect(found.get_by_role("button", name="Stop")).to_be_focused()
    expect(found.locator(".says")).to_contain_text("Done in", timeout=120_000)
    expect(found.get_by_role("button", name="Denoise")).to_be_focused()
    expect(found.locator(".film > p")).to_have_text(re.compile(r"purple banana, DDIM in 20 steps, w = 3, seed \d+: t = 0"))
    return found


@pytest.mark.parametrize("where", ["as_files", "without_torch"])
def test_the_model_draws_in_the_page_of_a_web_server(request, visit, where):
    """Also where `course serve` lacks a package."""
    served = request.getfixturevalue(where)
    page = visit(getattr(served, "address", served) + "play.html", axe=True)
    draws(page)
    demand_nothing_broken(page, "#widget-sampler")


def test_how_much_is_loaded_is_said_before(visit, written):
    found = widget(visit((written.place / "play.html").as_uri()), "sampler")
    loaded = [*(written.place / "onnx").iterdir(), *(written.place / "widgets" / "models").glob("emoji.*")]
    expect(found.get_by_text("once.")).to_have_text(f"Loads {round(sum(path.stat().st_size for path in loaded) / 1e6)} MB, once.")


def test_a_caption_is_drawn_and_one_sees_where_it_looks_for_each_word(visit, written):
    """Where the page is opened as a file."""
    page = visit((written.place / "play.html").as_uri(), axe=True)
    found = draws(page)
    found.get_by_text("More").click()
    expect(found.get_by_label("Where it looks for")).to_be_visible()
    found.get_by_label("Model").select_option("fashion")
    found.get_by_role("button", name="Denoise").click()
    expect(found.get_by_label("Where it looks for")).to_be_hidden(timeout=120_000)
    expect(found.locator(".says")).to_contain_text("Done in", timeout=120_000)
    found.get_by_label("Model").select_option("shapes")
    found.get_by_role("combobox", name="Prompt").fill("a purple dog")
    found.get_by_role("button", name="Denoise").click()
    expect(found.locator(".says")).to_have_text(re.compile("The model does not know the word purple: choose from a, small, large, .*"))
    found.get_by_role("combobox", name="Prompt").fill("a small red circle")
    found.get_by_label("Steps").fill("3")
    found.get_by_role("button", name="Denoise").click()
    expect(found.locator(".says")).to_contain_text("Done in", timeout=120_000)
    expect(found.get_by_role("img", name="How much each place looks at the word circle in the step to t = 0, up to")).to_be_visible()
    found.get_by_label("Where it looks for").select_option("red")
    expect(found.get_by_text("where it looked for “red”")).to_be_visible()
    demand_nothing_broken(page, "#widget-sampler")
    for width in (360, 768):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_run_in_the_page_can_be_stopped(visit, written):
    found = widget(visit((written.place / "play.html").as_uri()), "sampler")
    found.get_by_role("button", name=OFFER).click()
    expect(found.locator(".says")).to_contain_text("Loading the")
    found.get_by_role("button", name="Stop").click()
    expect(found.locator(".says")).to_have_text("Stopped.")


def test_what_cannot_be_loaded_is_said_and_the_recordings_still_play(visit, written, tmp_path, root, site):
    place = write_site(read_course(root), [site.session.lesson], tmp_path / "site").place
    (place / "onnx" / "packed.js").unlink()
    found = widget(visit((place / "play.html").as_uri(), missing=True), "sampler")
    found.get_by_role("button", name=OFFER).click()
    expect(found.locator(".says")).to_contain_text("The model cannot run in this page: ")
    expect(found.get_by_role("button", name=OFFER)).to_be_visible()
    found.get_by_role("button", name="Play").click()
    expect(found.get_by_role("button", name="Pause")).to_be_visible()


def test_only_the_worker_may_compile(without_torch):
    assert ask(without_torch.address + "play.html")[1]["content-security-policy"] == POLICY
    assert "'wasm-unsafe-eval'" in ask(without_torch.address + "onnx/worker.js")[1]["content-security-policy"]


def test_the_runtime_is_as_it_was_published_with_its_licence_and_its_reason(root):
    packages = yaml.safe_load((ONNX / "packages.yaml").read_text())
    provided = json.loads(re.fullmatch(r"course\.provide\((.*)\);\n", (ONNX / "packed.js").read_text(), re.DOTALL)[1])
    unpacked = {name: gzip.decompress(base64.b64decode(text)) for name, text in provided.items()}
    assert {one["packed"] for one in packages.values() if "packed" in one} == set(unpacked)
    for file, one in packages.items():
        found = [(ONNX / file).read_bytes()] if (ONNX / file).is_file() else []
        found += [unpacked[one["packed"]]] if "packed" in one else []
        assert {hashlib.sha256(content).hexdigest() for content in found} == {one["sha256"]}
        assert f"- **{one['package']} {one['version']}** ({one['licence']})" in (root / "docs" / "dependencies.md").read_text()
    ours = {"packages.yaml", "packed.js", "worker.js", "onnxruntime-web.LICENSE"}
    assert {path.name for path in ONNX.iterdir()} == ours | {file for file in packages if (ONNX / file).is_file()}
