"""The site as files: whole, with nothing that needs a server, and never over somebody's other files."""

import re
from pathlib import Path

import pytest
from msgspec import structs

from autograder.course.errors import UsageError
from autograder.course.lesson_text import titled
from autograder.course.loading import read_course
from autograder.web import practice
from autograder.web.app import MARK, write_site
from autograder.web.pages import frame_of


@pytest.fixture(scope="module")
def course(root):
    return read_course(root)


def test_every_file_that_a_page_names_is_there(written):
    names = set()
    for path in written.place.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        names |= {name for name in re.findall(r'(?:src|href|data-script)="([^"#?]+)', text) if not name.startswith("http")}
    for path in (written.place / "widgets").rglob("*.js"):
        names |= {str((path.parent / name).resolve().relative_to(written.place.resolve())) for name in re.findall(r'use\("([^"]+)"\)', path.read_text())}
    assert len(names) > 30
    assert [name for name in sorted(names) if not (written.place / name).is_file()] == []


def test_no_page_speaks_of_what_needs_python(written, site):
    """Only cards and questions have a form, which `deck.js` and `marks.js` answer."""
    for path in written.place.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert 'method="post"' not in re.sub("<template.*?</template>", "", text, flags=re.DOTALL)
        assert "data-live" not in text
    questions = {f"question-{question.id}.html" for question in site.session.lesson.questions}
    assert {path.name for path in written.place.glob("*.html")} == {"index.html", "lesson.html", "play.html", "practice.html", "cards.html", "search.html"} | questions


def test_no_page_holds_an_answer(written, site):
    """What marks the questions is in scripts beside, as a student release has it. Of the exercises there is nothing."""
    text = "".join(path.read_text(encoding="utf-8") for path in written.place.rglob("*.html"))
    for key in site.session.lesson.keys.values():
        assert not any(wrong.sentence in text for wrong in key.wrong.values())
    assert not list(written.place.rglob("*.py"))
    assert not list(written.place.rglob("*.yaml"))


def test_a_student_release_writes_the_same_practice(root, released, site):
    """What marks answers there was recorded."""
    of_clone, of_release = (practice.written(course, frame_of(course, site.session.lesson, (), served=False, kept=False)) for course in (root, released))
    assert of_release == of_clone


def test_it_counts_what_it_wrote(written):
    files = [path for path in written.place.rglob("*") if path.is_file()]
    assert (written.files, written.bytes) == (len(files), sum(path.stat().st_size for path in files))
    assert not list(written.place.parent.glob(".*"))


def test_a_folder_that_was_written_before_is_written_anew(course, site, tmp_path):
    """Also what an earlier version wrote goes, if the mark says so."""
    place = write_site(course, [site.session.lesson], tmp_path / "site").place
    (place / "old.html").write_text("old")
    (place / MARK).write_text((place / MARK).read_text().replace('"cards.html"', '"cards.html", "old.html"'))
    write_site(course, [site.session.lesson], place)
    assert not (place / "old.html").exists()
    assert (place / MARK).is_file()


def test_a_file_that_somebody_put_there_is_never_lost(course, site, tmp_path):
    place = write_site(course, [site.session.lesson], tmp_path / "site").place
    (place / "CNAME").write_text("mine")
    with pytest.raises(UsageError) as error:
        write_site(course, [site.session.lesson], place)
    assert str(error.value) == f"{place}: holds CNAME, which is not of this site\n  fix: move it away, or choose another folder with --out"
    assert (place / "CNAME").read_text() == "mine"


def test_the_site_of_another_lesson_is_never_lost(course, site, tmp_path):
    place = write_site(course, [site.session.lesson], tmp_path / "site").place
    with pytest.raises(UsageError) as error:
        write_site(course, [structs.replace(site.session.lesson, id="13_edges")], place)
    fix = "choose another folder with --out, or leave --lesson out to write all"
    assert str(error.value) == f"{place}: holds the site of 12_diffusion\n  fix: {fix}"


def test_other_files_are_never_touched(course, site, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError) as error:
        write_site(course, [site.session.lesson], tmp_path)
    assert str(error.value) == f"{tmp_path}: not empty, and not made by this command\n  fix: choose a new or empty folder with --out"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_place_that_cannot_be_written_is_said_so(course, site):
    with pytest.raises(UsageError) as error:
        write_site(course, [site.session.lesson], Path("/proc/nowhere/site"))
    assert str(error.value) == "/proc/nowhere/site: No such file or directory\n  fix: choose a folder that can be written with --out"


def test_a_title_made_of_an_id_has_abbreviations_as_the_lesson_writes_them(written):
    texts = {name: (written.place / name).read_text(encoding="utf-8") for name in ("lesson.html", "practice.html", "search.html", "question-ddim-training.html", "answers/index.js")}
    assert "DDIM needs training" in texts["lesson.html"]
    assert "VAE generates" in texts["lesson.html"]
    assert "<title>DDIM training · Practice</title>" in texts["question-ddim-training.html"]
    assert "<h1>DDIM training</h1>" in texts["question-ddim-training.html"]
    assert all("VAE in latent diffusion" in texts[name] for name in ("practice.html", "search.html", "answers/index.js"))
    assert [name for name in texts if re.search(r"\b(Ddim|Vae|Ddpm)\b", texts[name])] == []


@pytest.mark.parametrize(("id", "title"), [("ddim_needs_training", "DDIM needs training"), ("back_from-vae", "Back from VAE"), ("w_of_zero", "w of zero"), ("a_mean", "A mean"), ("beta_twice", "Beta twice")])
def test_an_id_in_words(id, title):
    assert titled(id, "DDIM and a VAE") == title
