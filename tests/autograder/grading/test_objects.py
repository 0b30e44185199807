"""Objects that are no data: a check holds them whoever plays the student, and what they do is evidence."""

import numpy as np
import pytest
import torch
from torch import nn

from autograder.course.model import Submission
from autograder.course.policy import Limits
from autograder.grading.checks import Called, Student, Transcript, executed_by
from autograder.grading.feedback import call_text
from autograder.grading.reference import Answers, ObjectProxy, fuzzy_key, load_module
from autograder.grading.submission_run import SubmissionRun
from autograder.sandbox.guests import Handle, Outcome
from tests.shared import SharedSandbox

SOURCE = """
import torch
from torch import nn

class Double(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.rand(1))
    def forward(self, x):
        return x * self.scale
    def halve(self, x):
        return x / 2

def through(thing, x):
    return thing(x)
"""
PROPS = "def triple():\n    return lambda x: 3 * x\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Lay an answer file and a props file on disk."""
    folder = tmp_path_factory.mktemp("lesson")
    (folder / "answer.py").write_text(SOURCE)
    (folder / "props.py").write_text(PROPS)
    return folder


@pytest.fixture(params=["here", "behind the wall"])
def executed(request, files):
    """Give a student, run in this process and by a guest, and its transcript."""
    answers, transcript = Answers(load_module(files / "answer.py"), files / "props.py"), Transcript()
    if request.param == "here":
        yield Student(executed_by(answers.function), transcript), transcript
        return
    with SharedSandbox(Limits()) as sandbox:
        submission = Submission("ada", "12_diffusion", "answer", "answer.py", SOURCE.encode(), None, "present")
        started = SubmissionRun(submission, (), answers, sandbox, {}, imports=("torch",))
        assert started._ready().kind == "returned"
        yield Student(started._call, transcript), transcript
        started._leave()


def test_an_object_is_called_by_itself_and_by_its_methods(executed):
    student, _ = executed
    double = student.Double()
    assert isinstance(double, ObjectProxy)
    double.set_weights({"scale": torch.tensor([2.0])})
    np.testing.assert_allclose(double(torch.tensor([1.0, 3.0])), [2, 6])
    np.testing.assert_allclose(double.method("halve", torch.tensor([1.0])), [0.5])
    np.testing.assert_allclose(double.weights()["scale"], [2])


def test_an_object_is_handed_to_a_function(executed):
    student, transcript = executed
    triple = student.props.triple()
    np.testing.assert_allclose(student.through(triple, torch.tensor([2.0])), [6])
    assert repr(triple) == "props.triple 1"
    assert [call.function for call in transcript.calls] == ["props.triple", "through"]


def test_what_chance_weights_do_is_no_evidence(executed):
    student, transcript = executed
    double = student.Double()
    double.weights()
    double.set_weights({"scale": torch.tensor([2.0])})
    double(torch.ones(1))
    assert [(call.function, call.of) for call in transcript.calls] == [
        ("Double", "Double"),
        ("Double().state_dict", ""),
        ("Double().load_state_dict", "Double"),
        ("Double()", "Double"),
    ]


def test_an_object_is_evidence_about_the_function_it_was_given_to(executed):
    student, transcript = executed
    double = student.Double()
    double.set_weights({"scale": torch.tensor([2.0])})
    student.through(double, torch.ones(1))
    double.weights()
    last: Called = transcript.calls[-1]
    assert last.of == "through"


def test_things_made_alike_are_equal(executed):
    student, _ = executed
    assert student.Double() != student.Double()
    assert ObjectProxy(None, "f", "f 1", nn.Identity()) == ObjectProxy(None, "f", "f 1", nn.Identity())


def test_a_call_is_written_as_a_student_would_write_it(executed):
    """An object's call without the object; arrays by their shapes, of numbers and of truth values."""
    student, transcript = executed
    student.Double()(torch.ones(2, 3))
    assert call_text(transcript.calls[-1], lambda name: None) == "Double()(array (2, 3))"
    masked = Called("look", (np.ones((4, 2), bool), np.ones(2)), {"n": 3}, Outcome("returned"), [])
    assert call_text(masked, lambda name: lambda mask, x, n: None) == "look(mask=array (4, 2), x=[1, 1], n=3)"


def test_objects_within_an_answer_are_told_by_kind_and_number_wherever_they_lie_in_memory():
    both = [Handle(1, "Double")], [Handle(1, "Double")]
    assert fuzzy_key(both[0]) == fuzzy_key(both[1]) != fuzzy_key([Handle(2, "Double")])
