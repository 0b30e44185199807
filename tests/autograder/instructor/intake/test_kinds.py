"""Each kind of download is told by its names, on the disk and still packed, and its facts are kept."""

import gzip
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from autograder.cli.grade import KINDS as CHOICES
from autograder.course.errors import UsageError
from autograder.course.model import HandedIn
from autograder.instructor.folders import KINDS
from autograder.instructor.intake import open_class

from .handouts import HANDOUT
from .packing import packed, tarred

LESSON = "12_diffusion"
MANIFEST = json.dumps({"lesson": LESSON, "student": "Somebody Else", "files": {f"{LESSON}/forward.py": {"sha256": hashlib.sha256(b"ada = 1").hexdigest(), "bytes": 7}}})

# kind, files, and what each student handed in as forward.py, attempt by attempt
CLASSES = {
    "folder": (
        {"Ada Lovelace/forward.py": b"ada = 1", "Bo/12_diffusion/forward.py": b"bo = 1", "Cy/notes.txt": b""},
        {"Ada Lovelace": [b"ada = 1"], "Bo": [b"bo = 1"], "Cy": []},
    ),
    "canvas": (
        {
            "lovelaceada_501_9001_forward.py": b"ada = 1",
            "lovelaceada_501_9002_answers.yaml": b"{}",
            "bo_LATE_502_9003_forward-2.py": b"bo = 3",
            "ålundgöran_503_9004_forward.py": b"first = 1",
            "ålundgöran_LATE_503_9005_forward-1.py": b"second = 1",
            "dup_504_9006_forward.py": b"d = 4",
            "typed_506_text.html": b"<p>see my repository",
            "dup_505_9007_my_file_forward.py": b"d = 5",
            "LATE_anon_Ab3xY_9008_forward.py": b"no = 1",
        },
        {
            "anon_Ab3xY": [b"no = 1"],
            "bo": [b"bo = 3"],
            "dup (504)": [b"d = 4"],
            "dup (505)": [],
            "lovelaceada": [b"ada = 1"],
            "typed": [],
            "ålundgöran": [b"first = 1", b"second = 1"],
        },
    ),
    "moodle": (
        {
            "Ada Lovelace_8001_assignsubmission_file_/forward.py": b"ada = 1",
            "Bo O'Brien_8002_assignsubmission_file/12_diffusion/forward.py": b"bo = 1",
            "Group A_Cy_8003_assignsubmission_onlinetext_/onlinetext.html": b"<p>",
        },
        {"Ada Lovelace": [b"ada = 1"], "Bo O'Brien": [b"bo = 1"], "Group A_Cy": []},
    ),
    "moodle ": (
        {"Ada Lovelace_8001_assignsubmission_file_forward.py": b"ada = 1", "Ada Lovelace_8009_assignsubmission_file_forward.py": b"other = 1"},
        {"Ada Lovelace (8001)": [b"ada = 1"], "Ada Lovelace (8009)": [b"other = 1"]},
    ),
    "moodle  ": (
        {
            "Team Red_41_assignsubmission_file_/forward.py": b"red = 1",
            "Default group_assignsubmission_file_/forward.py": b"alone = 1",
            "Ada Lovelace_8001_assignsubmission_file_/uebung/blatt 1/forward.py": b"ada = 1",
            "Ada Lovelace_8001_assignsubmission_onlinetext_/onlinetext.html": b"<p>",
        },
        {"Ada Lovelace": [b"ada = 1"], "Default group": [b"alone = 1"], "Team Red": [b"red = 1"]},
    ),
    "brightspace": (
        {
            "index.html": b"<html>",
            "397063-2557369 - Mary-Ann Smith - Sep 24, 2026 926 PM/forward.py": b"second = 1",
            "397063-2557369 - Mary-Ann Smith - Sep 24, 2026 1126 AM/forward.py": b"first = 1",
            "397064-2557369 - Bo B - 1 October, 2026 926/hw/forward.py": b"bo = 1",
        },
        {"Bo B": [b"bo = 1"], "Mary-Ann Smith": [b"first = 1", b"second = 1"]},
    ),
    "brightspace ": (
        {
            "397063-2557369 - Ada Lovelace - Sep 24, 2026 926 PM - forward.py": b"ada = 1",
            "397064-2557369 - Bo B - Sep 25, 2026 926 PM - forward.py": b"bo = 1",
        },
        {"Ada Lovelace": [b"ada = 1"], "Bo B": [b"bo = 1"]},
    ),
    "brightspace  ": (
        {"12345-67890 - Ada Lovelace - forward.py": b"ada = 1", "12346-67890 - Bo B - hw.zip": packed(("forward.py", b"bo = 1"))},
        {"Ada Lovelace": [b"ada = 1"], "Bo B": [b"bo = 1"]},
    ),
    "blackboard": (
        {
            "HW_1_ada_l_attempt_2026-11-20-22-58-11_forward.py": b"ada = 1",
            "HW_1_ada_l_attempt_2026-11-21-22-58-11_forward.py": b"again = 1",
            "HW_1_ada_l_attempt_2026-11-21-22-58-11.txt": b"Name: Ada Lovelace (ada_l)\r\nAssignment: HW 1\r\n",
            "HW_1_bbyte_attempt_2026-11-20-22-58-11.txt": b"Name: Bo B (bbyte)\n\nSubmission Field:\nmy work: see mail\n\nComments:\nThere are no student comments for this assignment.\n",
        },
        {"Ada Lovelace": [b"ada = 1", b"again = 1"], "Bo B": []},
    ),
    "gradescope": (
        {
            "submission_metadata.yml": b"---\nsubmission_1:\n  :submitters:\n  - :name: Ada Lovelace\n    :sid: '501'\n    :email: ada@example.org\n  :created_at: 2026-11-20 22:00:00 Z\n  :results:\n    tests: []\n    :name: \"no\"\nsubmission_2:\n  :submitters:\n  - :name: \"Bo \\xC9\"\n  - :name: Cy\n  :score: 1.0\n",
            "submission_1/forward.py": b"ada = 1",
            "submission_2/src/forward.py": b"both = 1",
            "submission_9/forward.py": b"nobody = 1",
        },
        {"Ada Lovelace": [b"ada = 1"], "Bo É": [b"both = 1"], "Cy": [b"both = 1"], "submission_9": [b"nobody = 1"]},
    ),
    "gradescope ": (
        {
            "submission_metadata.yml": b"---\nsubmission_1:\n  :submitters:\n  - :name: Bo\n    :sid: '501'\nsubmission_2:\n  :submitters:\n  - :name: Bo\n    :email: bo@u.example\n",
            "submission_1/forward.py": b"one = 1",
            "submission_2/forward.py": b"two = 1",
        },
        {"Bo (501)": [b"one = 1"], "Bo (bo@u.example)": [b"two = 1"]},
    ),
    "classroom": (
        {"diffusion-2026-ada/.git/config": b"", "diffusion-2026-ada/forward.py": b"ada = 1", "diffusion-2026-bo-b/.git/config": b"", "diffusion-2026-bo-b/forward.py": b"bo = 1"},
        {"ada": [b"ada = 1"], "bo-b": [b"bo = 1"]},
    ),
    "nbgrader": (
        {
            "nbgrader_config.py": b"",
            "source/12_diffusion/12_diffusion.ipynb": b"{}",
            "submitted/ada/12_diffusion/12_diffusion.ipynb": b"{}",
            "submitted/ada/12_diffusion/timestamp.txt": b"2026-11-20 10:00:00.123456 UTC",
            "submitted/bo/other/12_diffusion.ipynb": b"{}",
        },
        {"ada": [b"{}"], "bo": []},
    ),
    "sakai": (
        {
            "HW 1/grades.csv": b"",
            "HW 1/Lovelace, Ada(ada)/timestamp.txt": b"20261120225811123",
            "HW 1/Lovelace, Ada(ada)/comments.txt": b"",
            "HW 1/Lovelace, Ada(ada)/Lovelace, Ada(ada)_submissionText.html": b"",
            "HW 1/Lovelace, Ada(ada)/Submission attachment(s)/forward.py": b"ada = 1",
            "HW 1/Lovelace, Ada(ada)/Feedback Attachment(s)/forward.py": b"marked = 1",
            "HW 1/B, Bo(bo)/timestamp.txt": b"20261120225811123",
            "HW 1/B, Bo(bo)/Submission attachment(s)/forward (1).py": b"bo = 1",
        },
        {"B, Bo": [b"bo = 1"], "Lovelace, Ada": [b"ada = 1"]},
    ),
    "zips": (
        {"ada.zip": packed((f"{LESSON}/forward.py", b"ada = 1"), ("manifest.json", MANIFEST)), "Bo B.zip": packed(("forward.py", b"bo = 1"))},
        {"Bo B": [b"bo = 1"], "ada": [b"ada = 1"]},
    ),
}  # fmt: skip


def laid_out(folder, files):
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def zipped(path, files, within=""):
    path.write_bytes(packed(*((within + name, data) for name, data in files.items())))
    return path


def taken(path, **options):
    opened = open_class(path, LESSON, **options)
    found = {student.name: [] for student in opened.students}
    for one in opened.submissions(HANDOUT, ["forward"], every=True):
        found[one.student] += [one.source] if one.status == "present" else []
    return opened, found


PLACES = ("a folder", "a folder around it", "a zip", "a zip with a folder around it")
AMBIGUOUS = {("folder", "a folder around it"), ("zips", "a folder around it")}  # a folder in a folder is a student


@pytest.mark.parametrize(("kind", "given"), [(kind, given) for kind in CLASSES for given in PLACES if (kind, given) not in AMBIGUOUS])
def test_each_kind_is_told_by_its_names(tmp_path, kind, given):
    files, students = CLASSES[kind]
    place = {
        "a folder": lambda: laid_out(tmp_path / "in", files),
        "a folder around it": lambda: laid_out(tmp_path / "in" / "submissions", files).parent,
        "a zip": lambda: zipped(tmp_path / "in.zip", files),
        "a zip with a folder around it": lambda: zipped(tmp_path / "in.zip", files, "submissions/"),
    }[given]()
    opened, found = taken(place)
    assert opened.kind == kind.strip()
    assert found == students


@pytest.mark.parametrize("kind", CLASSES)
def test_a_kind_that_is_given_is_the_one_that_is_told(tmp_path, kind):
    files, students = CLASSES[kind]
    opened, found = taken(laid_out(tmp_path / "in", files), kind=kind.strip())
    assert (opened.kind, found) == (kind.strip(), students)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "folder"])
def test_a_kind_that_does_not_fit_is_refused_in_full(tmp_path, kind):
    laid_out(tmp_path / "in", {"Ada/forward.py": b""})
    with pytest.raises(UsageError) as caught:
        open_class(tmp_path / "in", LESSON, kind)
    assert str(caught.value) == f"{tmp_path / 'in'}: no submissions from `{kind}` in it\n  fix: give {KINDS[kind].wanted}, or leave --from out"


def test_the_command_offers_every_kind():
    assert set(CHOICES) == set(KINDS)


def test_canvas_says_who_is_late_and_which_attempt_it_is(tmp_path):
    opened, _ = taken(laid_out(tmp_path / "in", {**CLASSES["canvas"][0], "readme.txt": b""}))
    facts = {one.name: [hand_in.facts for hand_in in one.uploads] for one in opened.students}
    assert facts["bo"] == [HandedIn(3, late=True, origin=("canvas", "bo_LATE_502_9003"))]
    last = ("canvas", "ålundgöran_LATE_503_9005")  # feedback goes to the latest attempt
    assert facts["ålundgöran"] == [HandedIn(1, late=False, origin=last), HandedIn(2, late=True, origin=last)]
    assert facts["anon_Ab3xY"] == [HandedIn(1, late=True, origin=("canvas", "LATE_anon_Ab3xY_9008"))]
    assert facts["typed"] == [HandedIn(1, late=False)]
    assert {person.student: person.id for person in opened.people}["lovelaceada"] == "501"
    assert opened.notes == [
        "readme.txt: not named like a file from Canvas, so it is skipped",
        "dup (505): `my_file_forward.py` was not taken, because it defines no function that an exercise asks for",
        "typed: `text.html` was not taken, because it is a web page, not code",
    ]


def test_moodle_says_where_feedback_goes(tmp_path):
    opened, _ = taken(laid_out(tmp_path / "in", CLASSES["moodle  "][0]))
    origins = {one.name: one.uploads[0].facts.origin for one in opened.students}
    assert origins == {"Ada Lovelace": ("moodle", "Ada Lovelace_8001"), "Default group": None, "Team Red": ("moodle", "Team Red_41")}


def test_what_was_typed_into_a_platform_is_told(tmp_path):
    for kind, student, name in (("blackboard", "Bo B", "typed text.txt"), ("moodle  ", "Ada Lovelace", "onlinetext.html")):
        opened = open_class(laid_out(tmp_path / kind, CLASSES[kind][0]), LESSON)
        (one,) = [one for one in opened.submissions(HANDOUT, ["practice"], every=False) if one.student == student]
        assert (one.status, [each.file for each in one.handed_in.unused]) == ("unrecognised", [name])


def test_what_lies_beside_the_students_folders_is_nobodys_and_told(tmp_path):
    opened, found = taken(laid_out(tmp_path / "in", {"Ada/forward.py": b"ada = 1", "Eve.zip": b"", "eve.py": b"", "roster.csv": b""}))
    assert (found, opened.notes) == (
        {"Ada": [b"ada = 1"]},
        ["`Eve.zip` lies beside the students' folders, so it is nobody's", "`eve.py` lies beside the students' folders, so it is nobody's"],
    )


def test_students_archives_may_be_of_any_kind(tmp_path):
    files = {"Ada.zip": packed(("forward.py", b"ada = 1")), "Bo B.tar.gz": tarred(("forward.py", b"bo = 1"), pack=gzip.compress), "Cy.rar": b"Rar!"}
    opened, found = taken(laid_out(tmp_path / "in", files))
    assert (opened.kind, found) == ("zips", {"Ada": [b"ada = 1"], "Bo B": [b"bo = 1"], "Cy": []})


def test_of_several_attempts_the_last_is_taken_or_all(tmp_path):
    """A later hand-in without a file leaves the earlier one's in place."""
    files = {"ada_1_11_forward.py": b"one = 1", "ada_1_12_answers.yaml": b"{}", "ada_1_13_forward-1.py": b"two = 2"}
    opened, _ = taken(laid_out(tmp_path / "in", files))
    last = [(one.exercise, one.source, one.handed_in.attempt) for one in opened.submissions(HANDOUT, ["forward", "practice"], every=False)]
    assert last == [("forward", b"two = 2", 2), ("practice", b"{}", 1)]
    every = [one.source for one in opened.submissions(HANDOUT, ["forward", "practice"], every=True)]
    assert every == [b"one = 1", b"two = 2", b"{}"]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-20 10:00:00.123456 UTC", datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-20 10:00:00.123456 Europe/Berlin\n", datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-20 10:00:00.000000 CEST", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20 10:00:00.000000 EDT", datetime(2026, 11, 20, 14, tzinfo=UTC)),
        ("2026-11-20 10:00:00.000000 PDT", datetime(2026, 11, 20, 17, tzinfo=UTC)),
        ("2026-11-20 10:00:00.000000 JST", datetime(2026, 11, 20, 1, tzinfo=UTC)),
        ("2026-11-20 10:00:00 Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20 10:00:00+0100", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("2026-11-20 10:00:00 +01:00", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("2026-11-20 10:00:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20 10:00:00 ../../etc/passwd", None),
        ("2026-11-20 10:00:00 Nowhere/Land", None),
        ("yesterday", None),
        ("2026-99-99 10:00:00 UTC", None),
    ],
)
def test_nbgrader_says_when_it_was_handed_in(tmp_path, text, at):
    laid_out(tmp_path / "submitted", {f"ada/{LESSON}/forward.py": b"", f"ada/{LESSON}/timestamp.txt": text.encode()})
    opened, found = taken(tmp_path / "submitted")
    assert (opened.kind, found) == ("nbgrader", {"ada": [b""]})
    assert opened.students[0].uploads[0].facts.at == at
    assert len(opened.notes) == (at is None), "what cannot be read is told"


@pytest.mark.parametrize(("clones", "kind"), [(("hw-ada", "hw-bo"), "classroom"), (("hw-cy",), "folder")])
def test_most_folders_are_clones_where_a_class_is_from_a_classroom(tmp_path, clones, kind):
    """A clone that failed, and a single student who handed in a repository, change nothing for the others."""
    own = {f"{name}/forward.py": name.encode() for name in ("hw-ada", "hw-bo", "hw-cy")}
    laid_out(tmp_path, {**own, **{f"{name}/.git/HEAD": b"ref: refs/heads/main" for name in clones}})
    opened, found = taken(tmp_path)
    assert (opened.kind, found) == (kind, {name.removeprefix("hw-" if kind == "classroom" else ""): [name.encode()] for name in ("hw-ada", "hw-bo", "hw-cy")})


def test_what_one_student_hands_in_does_not_decide_how_a_class_is_read(tmp_path):
    """Somebody's `timestamp.txt`, as nbgrader's exchange writes it, makes a folder for each student no class of nbgrader's."""
    own = {f"{name}/forward.py": name.encode() for name in ("ada", "bo", "cy")}
    laid_out(tmp_path, {**own, f"cy/{LESSON}/timestamp.txt": b"2026-11-20 10:00:00 UTC"})
    opened, found = taken(tmp_path)
    assert (opened.kind, found) == ("folder", {name: [name.encode()] for name in ("ada", "bo", "cy")})


@pytest.mark.parametrize(
    ("zone", "at", "note"),
    [
        ("Asia/Shanghai", datetime(2026, 11, 20, 2, tzinfo=UTC), "ada: `CST` means several time zones, and is read as the course's"),
        ("America/Chicago", datetime(2026, 11, 20, 16, tzinfo=UTC), "ada: `CST` means several time zones, and is read as the course's"),
        ("Europe/Berlin", None, "ada: the time `2026-11-20 10:00:00 CST` counts as unknown, because `CST` means several time zones"),
        (None, None, "ada: the time `2026-11-20 10:00:00 CST` counts as unknown, because `CST` means several time zones"),
    ],
)
def test_an_abbreviation_that_means_several_zones_takes_the_courses(tmp_path, zone, at, note):
    laid_out(tmp_path / "submitted", {f"ada/{LESSON}/forward.py": b"x = 1", f"ada/{LESSON}/timestamp.txt": b"2026-11-20 10:00:00 CST"})
    opened = open_class(tmp_path / "submitted", LESSON, zone=zone and ZoneInfo(zone))
    assert (opened.students[0].uploads[0].facts.at, opened.notes) == (at, [note])


@pytest.mark.parametrize("kind", ["brightspace", "blackboard", "gradescope"])
def test_times_of_a_platform_are_by_the_courses_clock(tmp_path, kind):
    opened = open_class(laid_out(tmp_path / "in", CLASSES[kind][0]), LESSON, zone=ZoneInfo("Europe/Berlin"))
    times = {student.name: [upload.facts.at for upload in student.uploads] for student in opened.students}
    expected = {
        "brightspace": {"Mary-Ann Smith": [datetime(2026, 9, 24, 9, 26, tzinfo=UTC), datetime(2026, 9, 24, 19, 26, tzinfo=UTC)], "Bo B": [datetime(2026, 10, 1, 7, 26, tzinfo=UTC)]},
        "blackboard": {"Ada Lovelace": [datetime(2026, 11, 20, 21, 58, 11, tzinfo=UTC), datetime(2026, 11, 21, 21, 58, 11, tzinfo=UTC)], "Bo B": [datetime(2026, 11, 20, 21, 58, 11, tzinfo=UTC)]},
        "gradescope": {"Ada Lovelace": [datetime(2026, 11, 20, 22, tzinfo=UTC)], "Bo É": [None], "Cy": [None], "submission_9": [None]},
    }[kind]
    assert times == expected


def test_sakai_says_when_it_was_handed_in_and_what_was_typed(tmp_path):
    files = {"Lovelace, Ada(ada)/timestamp.txt": b"20261120225811123", "Lovelace, Ada(ada)/Submission attachment(s)/forward.py": b"x = 1"}
    files |= {"B, Bo(bo)/Submission attachment(s)/": b"", "B, Bo(bo)/B, Bo(bo)_submissionText.html": b"<p>x = 1</p>"}
    opened, found = taken(zipped(tmp_path / "in.zip", files), zone=UTC)
    assert (opened.kind, found) == ("sakai", {"B, Bo": [], "Lovelace, Ada": [b"x = 1"]})
    times = {one.student: one.handed_in.at for one in opened.submissions(HANDOUT, ["forward"], every=False)}
    assert times["Lovelace, Ada"] == datetime(2026, 11, 20, 22, 58, 11, tzinfo=UTC)
    assert "B, Bo: `B, Bo(bo)_submissionText.html` was not taken, because it is a web page, not code" in opened.notes


def test_nbgraders_only_assignment_is_the_one_that_is_meant(tmp_path):
    laid_out(tmp_path / "submitted", {"ada/ps4/forward.py": b"x = 1", "bo/ps4/forward.py": b"y = 1"})
    assert taken(tmp_path, kind="nbgrader")[1] == {"ada": [b"x = 1"], "bo": [b"y = 1"]}
    laid_out(tmp_path / "submitted", {"ada/ps5/forward.py": b"x = 1"})
    with pytest.raises(UsageError) as caught:
        open_class(tmp_path, LESSON)
    assert str(caught.value) == "`submitted` holds several assignments: ps4, ps5\n  fix: rename the one to grade to 12_diffusion"


def test_a_link_among_a_platforms_files_is_not_followed(tmp_path):
    laid_out(tmp_path / "in", {"ada_1_11_answers.yaml": b"{}"})
    (tmp_path / "in" / "eve_2_12_forward.py").symlink_to("/etc/passwd")
    opened = open_class(tmp_path / "in", LESSON)
    assert opened.kind == "canvas"
    problems = {one.student: one.problem for one in opened.submissions(HANDOUT, ["forward"], every=False)}
    assert problems["eve"] == "eve_2_12_forward.py is a link, which is not followed"


def test_a_manifest_names_no_student_and_its_hashes_tell_what_was_changed(tmp_path):
    changed = packed((f"{LESSON}/forward.py", b"evil = 1"), ("manifest.json", MANIFEST))
    other = packed(("11_x/forward.py", b""), ("manifest.json", '{"lesson": "11_x", "files": {"gone.py": {"sha256": ""}}}'))
    opened, _ = taken(laid_out(tmp_path / "in", {"eve.zip": changed, "other.zip": other}))
    assert [one.name for one in opened.students] == ["eve", "other"]
    assert opened.notes == [
        "eve.zip: `12_diffusion/forward.py` was changed after it was packed",
        "other.zip: packed for the lesson `11_x`",
        "other.zip: `gone.py` is in the manifest, but cannot be read",
    ]


def test_one_zip_of_one_student_is_a_class_of_one(tmp_path):
    (tmp_path / "Ada.zip").write_bytes(packed((f"{LESSON}/forward.py", b"ada = 1"), ("manifest.json", MANIFEST)))
    assert taken(tmp_path / "Ada.zip")[1] == {"Ada": [b"ada = 1"]}


@pytest.mark.parametrize("manifest", ["", "[]", "{", "[" * 60_000, '{"files": 7}', '{"files": {"a": 7}}', '{"files": {"../x": {"sha256": 1}}}'])
def test_a_manifest_that_is_none_is_no_trouble(tmp_path, manifest):
    (tmp_path / "Ada.zip").write_bytes(packed((f"{LESSON}/forward.py", b"ada = 1"), ("manifest.json", manifest)))
    assert taken(tmp_path / "Ada.zip")[1] == {"Ada": [b"ada = 1"]}


def test_a_platforms_zip_holds_students_zips(tmp_path):
    ada = packed((f"{LESSON}/forward.py", b"ada = 1"), ("manifest.json", MANIFEST))
    for kind, name in {"canvas": "ada_1_11_work.zip", "moodle": "Ada_7_assignsubmission_file_/work.zip"}.items():
        opened, found = taken(zipped(tmp_path / f"{kind}.zip", {name: ada, name.replace("work.zip", "photo.png"): b""}))
        assert opened.kind == kind
        assert list(found.values()) == [[b"ada = 1"]]


def test_a_class_in_a_damaged_zip_is_refused_in_full(tmp_path):
    path = tmp_path / "class.zip"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("Ada/forward.py", b"x" * 1000)
    path.write_bytes(data.getvalue()[:-80])
    with pytest.raises(UsageError) as caught:
        open_class(path, LESSON)
    assert str(caught.value) == f"{path}: neither a folder nor an intact zip\n  fix: download it again, or unpack it and give the folder"
