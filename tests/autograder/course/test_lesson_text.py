"""What authors mark in a lesson's text."""

import pytest

from autograder.course.lesson_text import Curve, Prediction, prediction, sources_in
from autograder.course.text import FOLDED


def read(answer):
    return prediction(FOLDED.search(f"<details><summary>Predict first: where?</summary>\n\n{answer}\n\n</details>"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("There.", Prediction("where?", (), (), "", "There.")),
        ("- [ ] Here.\n- [x] There,\n  far away.\n\nSee.", Prediction("where?", ("Here.", "There, far away."), ("There, far away.",), "", "See.")),
        ("- [X] Here.\n- [x] There.", Prediction("where?", ("Here.", "There."), ("Here.", "There."), "", "")),
        ("**12**\n\nSee.", Prediction("where?", (), (), "12", "See.")),
        ("**−0.5**<!--= -1 / 2 -->\n\nSee.", Prediction("where?", (), (), "−0.5", "See.")),
        ("**40**", Prediction("where?", (), (), "40", "")),
        ("**40** from 0 to 100\n\nSee.", Prediction("where?", (), (), "40", "See.", ("0", "100"))),
        (
            "**−0.5**<!--= -1 / 2 --> from −1 to 1\n<!-- curve: a share; [0, 1 / 3]; 0 0.33 -->\n\nSee.",
            Prediction("where?", (), (), "−0.5", "See.", ("−1", "1"), Curve("a share", "[0, 1 / 3]", ("0", "0.33"))),
        ),
        ("**40** times.", Prediction("where?", (), (), "", "**40** times.")),
        ("- Here.\n- There.", Prediction("where?", (), (), "", "- Here.\n- There.")),
    ],
    ids=["words", "choices", "several", "number", "computed", "alone", "range", "curve", "within-a-sentence", "a-list-without-boxes"],
)
def test_an_answer_may_begin_with_choices_or_a_number(answer, expected):
    assert read(answer) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Ho et al. 2020,\narXiv:2006.11239, section 4", [("Ho 2020", "https://arxiv.org/abs/2006.11239")]),
        ("Dhariwal and Nichol 2021, arXiv:2105.05233; FID: Heusel et al. 2017, arXiv:1706.08500",
         [("Dhariwal 2021", "https://arxiv.org/abs/2105.05233"), ("Heusel 2017", "https://arxiv.org/abs/1706.08500")]),
        ("doi:10.1000/182", [("doi.org/10.1000/182", "https://doi.org/10.1000/182")]),
        ("Some page, https://a.org/b?c=d, read yesterday", [("a.org/b?c=d", "https://a.org/b?c=d")]),
        ("Ho, Jain, and Abbeel (2020), https://a.org", [("Ho 2020", "https://a.org")]),
        ("CS231n 2026, lecture 14", []),
        ("javascript:alert(1)", []),
    ],
    ids=["arxiv", "two", "doi", "web", "three-authors", "none", "no-script"],
)  # fmt: skip
def test_a_source_has_a_label_and_an_address(words, expected):
    assert [(one.label, one.address) for one in sources_in(words)] == expected
