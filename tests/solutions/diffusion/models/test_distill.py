"""The distillation target against DDIM itself and against the closed form on Gaussian data; what the student is conditioned on."""

import copy
import dataclasses
import math
from pathlib import Path

import pytest
import torch

from solutions.diffusion.forward import eps_from_x0
from solutions.diffusion.interface import InvalidRequest, SamplingConfig, TrainingOptions
from solutions.diffusion.models import distill
from solutions.diffusion.models.distill import STAGES, ddim_step, halving_loss, network, sample_images, stage_vectors, two_steps_in_one
from solutions.diffusion.models.fashion import network as teacher_network
from solutions.diffusion.samplers import ddim_sample
from solutions.diffusion.schedules import alpha_bars, cosine_betas
from solutions.diffusion.store import load_weights, save_weights, weights_metadata

ALPHA_BARS = alpha_bars(cosine_betas(100))
STD = 0.5  # of Gaussian data, whose optimal x̂_0 is known: E[x_0 | x_t] = √ᾱ·s²·x_t / (ᾱ·s² + 1 − ᾱ)


def best_x0(x: torch.Tensor, t: torch.Tensor | int) -> torch.Tensor:
    a = torch.as_tensor(ALPHA_BARS)[torch.as_tensor(t)].view(-1, *[1] * (x.dim() - 1))
    return a.sqrt() * STD**2 * x / (a * STD**2 + 1 - a)


def some_x() -> torch.Tensor:
    return torch.randn(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("t", "middle", "s"), [(100, 75, 50), (50, 25, 0), (100, 50, 0)])
def test_one_step_with_the_target_is_two_steps_of_the_sampler(t: int, middle: int, s: int) -> None:
    """Against `ddim_sample` with the exact ε̂ of Gaussian data; s = 0 included."""
    x = some_x()
    times = (torch.full((3,), each) for each in (t, middle, s))
    target = two_steps_in_one(best_x0, x, *times, ALPHA_BARS)
    arrived = ddim_step(x, torch.full((3,), t), torch.full((3,), s), target, ALPHA_BARS)

    def eps_model(x: torch.Tensor, t: int) -> torch.Tensor:
        return eps_from_x0(x, t, best_x0(x, t), ALPHA_BARS)

    torch.testing.assert_close(arrived, ddim_sample(eps_model, x, ALPHA_BARS, [t, middle, s], clip=None))


def test_exact_steps_give_the_exact_target() -> None:
    """If the data is one point, every step arrives there, so two steps in one give that point again."""
    point = torch.full((3, 2), 0.3, dtype=torch.float64)
    times = (torch.tensor([100, 60, 40]), torch.tensor([75, 40, 20]), torch.tensor([50, 20, 0]))
    torch.testing.assert_close(two_steps_in_one(lambda x, t: point, some_x(), *times, ALPHA_BARS), point)


def test_halving_for_ever_gives_the_exact_map_of_gaussian_data() -> None:
    """One step with the target of 100 steps takes N(0, 1) to N(0, s²): x_0 = s·x_T / √(ᾱ_T·s² + 1 − ᾱ_T), within 2 %."""
    x, t = some_x(), 100
    walked = x
    for step in range(t, 0, -1):
        walked = ddim_step(walked, torch.full((3,), step), torch.full((3,), step - 1), best_x0(walked, step), ALPHA_BARS)
    exact = STD * x / math.sqrt(ALPHA_BARS[t] * STD**2 + 1 - ALPHA_BARS[t])
    torch.testing.assert_close(walked, exact, rtol=0.02, atol=0)


def student_and_teacher() -> tuple[torch.nn.Module, torch.nn.Module]:
    torch.manual_seed(0)
    teacher, student = teacher_network(), network()
    for parameter in teacher.parameters():  # no zeros left, so that every layer has an effect
        parameter.data += 0.02 * torch.randn_like(parameter)
    student.load_state_dict(teacher.state_dict(), strict=False)
    return student.eval(), teacher.eval()


@pytest.mark.parametrize("newest", range(len(STAGES)))
def test_every_halving_has_a_loss_with_gradients(newest: int) -> None:
    """Including the first halving, where no row learns from the previous student, and the last."""
    student, teacher = student_and_teacher()
    loss = halving_loss(student, copy.deepcopy(student), teacher, newest)
    value = loss((torch.zeros(4, 1, 16, 16), torch.arange(4)), torch.Generator().manual_seed(0))
    value.backward()
    assert value.item() > 0
    assert student.vector.weight.grad[:, newest].abs().max() > 0


@pytest.mark.parametrize("keep", [False, True], ids=["practised", "kept"])
def test_a_run_that_keeps_the_earlier_stages_has_nothing_to_teach_them_at_first(keep: bool) -> None:
    """With `keep` the student answers as before, so no gradient reaches its vectors for 8, 4 and 2 steps, only that for 1. Otherwise all learn."""
    student, teacher = student_and_teacher()
    loss = halving_loss(student, copy.deepcopy(student), teacher, 3, keep)
    loss((torch.zeros(64, 1, 16, 16), torch.arange(64) % 10), torch.Generator().manual_seed(0)).backward()
    reached = student.vector.weight.grad.abs().amax(dim=0) > 0
    assert reached.tolist() == [not keep, not keep, not keep, True]


def test_earlier_runs_are_recorded_and_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five runs of one step each. If the fourth run's weights in the folder are doubled, the last run ends with doubled weights."""
    assert sum(steps for _, _, steps, *_ in distill.RUNS) == distill.CONFIG.steps
    monkeypatch.setattr(distill, "RUNS", tuple((name, newest, 1, *rest) for name, newest, _, *rest in distill.RUNS))
    monkeypatch.setattr(distill, "CONFIG", dataclasses.replace(distill.CONFIG, steps=5, batch=8))
    monkeypatch.setattr(distill, "measure", lambda _: {"by steps": {}})
    training = TrainingOptions(out=tmp_path, checkpoints=tmp_path)
    distill.train(training)
    once, about = load_weights("distilled", tmp_path), weights_metadata("distilled", tmp_path)
    assert about["previous_runs"] == {f"distilled-{steps}": 1 for steps in STAGES}
    fourth = {name: 2 * value for name, value in load_weights("distilled-1", tmp_path).items()}
    save_weights("distilled-1", fourth, {"steps": 7}, tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("distilled-*")}
    distill.train(training)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert weights_metadata("distilled", tmp_path)["previous_runs"]["distilled-1"] == 7
    again = load_weights("distilled", tmp_path)
    norms = [torch.cat([value.flatten() for value in weights.values()]).norm().item() for weights in (once, again)]
    assert norms[1] / norms[0] == pytest.approx(2, rel=0.02)


def test_number_of_steps_becomes_a_one_hot_stage() -> None:
    """Index 2 of 8, 4, 2, 1 is two steps."""
    assert stage_vectors(torch.tensor([2])).tolist() == [[0, 0, 1, 0]]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (SamplingConfig(steps=3), "cannot sample in 3 steps: `distilled` was distilled for 8, 4, 2, 1"),
        (SamplingConfig(w=2.0), "`distilled` has w = 1 and its sampler (ddim) built in: omit --w and --sampler"),
        (SamplingConfig(sampler="ddpm"), "`distilled` has w = 1 and its sampler (ddim) built in: omit --w and --sampler"),
    ],
    ids=["steps", "w", "sampler"],
)
def test_what_a_student_has_not_learned_is_refused(config: SamplingConfig, message: str) -> None:
    """In one line that lists the valid choices."""
    with pytest.raises(InvalidRequest) as error:
        sample_images(network(), torch.arange(2), config)
    assert str(error.value) == message


@pytest.mark.parametrize("steps", STAGES)
def test_images_take_as_many_network_calls_as_steps(steps: int) -> None:
    """There is no second call for guidance."""
    student, calls = network().eval(), []
    student.register_forward_hook(lambda *_: calls.append(1))
    assert sample_images(student, torch.arange(2), SamplingConfig(steps=steps)).shape == (2, 1, 16, 16)
    assert len(calls) == steps
