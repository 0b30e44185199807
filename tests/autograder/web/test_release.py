"""The site of a student release: the same, with recordings in the place of what computes."""

from importlib.metadata import PackageNotFoundError

from autograder.learner.start import start
from autograder.web import pages
from autograder.web.pages import frame_of
from tests.autograder.web.conftest import serving
from tests.autograder.web.test_guard import ask
from tests.autograder.web.test_practice import send


def test_answers_are_marked_by_recordings_and_the_model_plays_its_own(site, released, tmp_path):
    start(tmp_path / "work", released, site.session.lesson)
    with serving(released, tmp_path / "work") as served:
        assert "<h2>Right</h2>" in send(served, "fresh-step", answer="0.790")[2]
        named = send(served, "fresh-step", answer="0.550")[2]
        assert named == send(site, "fresh-step", answer="0.550")[2]
        assert "data-live" not in ask(served.address + "play.html")[2]
        assert ask(served.address + "live-sampler")[0] == 404
        assert ask(served.address + "widgets/recorded/boots.js")[0] == 200


def test_the_model_runs_live_only_where_a_server_and_the_solutions_are(root, site, released):
    def live(course, served):
        frame = frame_of(course, site.session.lesson, ("index",), served=served, kept=False)
        return frame.live, frame.missing

    assert live(root, True) == ({"sampler"}, {"sampler": []})
    assert live(root, False) == live(released, True) == (frozenset(), {})


def test_where_a_package_is_missing_the_model_plays_recordings_and_the_page_names_it(root, site, monkeypatch):
    """As after `make demo`, which installs what grading takes."""

    def only_torch(name):
        if name != "torch":
            raise PackageNotFoundError(name)
        return name

    monkeypatch.setattr(pages, "distribution", only_torch)
    frame = frame_of(root, site.session.lesson, ("index",), served=True, kept=False)
    assert (frame.live, frame.missing) == (frozenset(), {"sampler": ["safetensors", "pillow"]})
    assert 'data-missing="safetensors pillow"' in frame.host("sampler")
    assert "data-live" not in frame.host("sampler")
