"""Two misconceptions in one file, in one function, and in a function that another one uses: reported without misleading."""

from contextlib import ExitStack
from functools import cache

import pytest

from autograder.course.loading import read_course
from autograder.course.model import CheckResult, Submission
from autograder.course.policy import Limits
from autograder.grading.attempt import Materials, attempt, load_materials
from tests.bundle import HEAD, bundle, needed
from tests.courses import ROOT
from tests.shared import SharedSandbox

LESSON = read_course(ROOT).lessons[0]
EXERCISES = {exercise.id: exercise for exercise in LESSON.exercises}
FAIR = ROOT / "tests" / "fairness" / LESSON.id

pytestmark = pytest.mark.usefixtures("walls")


@cache
def materials(name: str) -> Materials:
    return load_materials(EXERCISES[name])


@pytest.fixture(scope="module")
def judge(walls):
    """Give a function that grades a source: what became of each check, by the function it is about."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(SharedSandbox(Limits()))

        def judged(name: str, source: str) -> dict[str, list[CheckResult]]:
            submission = Submission("tester", LESSON.id, name, f"{name}.py", source.encode(), None, "present")
            checks = attempt(submission, materials(name), sandbox, b"a secret").checks
            of = {check.id: check.of for check in materials(name).checks}
            return {
                function: [c for c in checks if of[c.id] == function and c.outcome == "failed"] for function in dict.fromkeys(of.values())
            }

        yield judged


def misconceptions_of(name: str) -> dict[str, list[str]]:
    """List the misconceptions of each function of an exercise."""
    found: dict[str, list[str]] = {}
    for misconception in materials(name).misconceptions:
        found.setdefault(misconception.of, []).append(misconception.id)
    return found


SEVERAL = [name for name in EXERCISES if len(misconceptions_of(name)) > 1]


@pytest.mark.parametrize("which", [0, -1], ids=["first", "last"])
@pytest.mark.parametrize("name", SEVERAL)
def test_a_misconception_in_every_function_is_named_in_each(name, which, judge):
    """None hides another, and none is laid at another function's door."""
    instead = {function: misconceptions[which] for function, misconceptions in misconceptions_of(name).items()}
    failed = judge(name, bundle(EXERCISES[name].answer, EXERCISES[name].misconceptions, instead))
    assert {function: {check.misconception for check in checks} for function, checks in failed.items() if checks} == {
        function: {misconception} for function, misconception in instead.items()
    }


# ---- two misconceptions in one function: exercise, the style it is written into, what stands in its place; no misconception is both

BOTH = {
    "cosine without its square, counted without s": ("schedule", "loops", "cosine_betas", """
def cosine_betas(T, s=0.008, most=0.999):
    f = [math.cos(t / T * math.pi / 2) for t in range(T + 1)]
    return [0.0] + [min(1 - f[t] / f[t - 1], most) for t in range(1, T + 1)]
"""),
    "ratio upside down, and a root on it": ("schedule", "loops", "snr", """
def snr(alpha_bars):
    return [math.sqrt((1 - bar) / bar) for bar in alpha_bars]
"""),
    "β for its root, and the noise taken away": ("forward", "loops", "forward_step", """
def forward_step(x_prev, beta, eps):
    return math.sqrt(1 - beta) * x_prev - beta * eps
"""),
    "a missing root, and t counted from zero": ("forward", "loops", "noise_to", """
def noise_to(x0, t, eps, alpha_bars):
    if hasattr(t, "__len__"):
        return [noise_to(x, int(one), e, alpha_bars) for x, one, e in zip(x0, t, eps, strict=True)]
    bar = alpha_bars[max(t - 1, 0)]
    return math.sqrt(bar) * x0 + (1 - bar) * eps
"""),
    "a sum for the mean, and told t − 1": ("loss", "plain", "noise_mse", """
def noise_mse(eps_model, x0, t, eps, alpha_bars):
    bar = alpha_bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)
    return ((eps - eps_model(bar.sqrt() * x0 + (1 - bar).sqrt() * eps, t - 1)) ** 2).sum()
"""),
    "gradients left over, and the loss after the step": ("loss", "plain", "training_step", """
def training_step(model, optimizer, x0, t, eps, alpha_bars):
    noise_mse(model, x0, t, eps, alpha_bars).backward()
    optimizer.step()
    return noise_mse(model, x0, t, eps, alpha_bars).item()
"""),
    "sines first, and k over dim": ("timestep", "shift", "timestep_embedding", """
def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    angles = torch.outer(t.float(), max_period ** (-torch.arange(half) / dim))
    return torch.cat((torch.sin(angles), torch.cos(angles)), dim=-1)
"""),
    "noise divided without its root, and the large variance": ("ddpm", "plain", "posterior", """
def posterior(x_t, t, eps_hat, betas):
    bars = torch.cumprod(1 - betas, dim=0)
    return (x_t - betas[t] / (1 - bars[t]) * eps_hat) / (1 - betas[t]).sqrt(), betas[t]
"""),
    "told t − 1, and stopped at one": ("ddpm", "plain", "ddpm_sample", """
def ddpm_sample(eps_model, x_T, betas, draw_noise):
    x = x_T
    for t in reversed(range(2, len(betas))):
        x = ddpm_step(x, t, eps_model(x, t - 1), betas, draw_noise(t))
    return x
"""),
    "noise times its variance, and ε̂ not made smaller": ("ddim", "plain", "ddim_step", """
def ddim_step(x_t, t, t_prev, eps_hat, alpha_bars, eta, z):
    a, b = alpha_bars[t], alpha_bars[t_prev]
    x0 = (x_t - (1 - a).sqrt() * eps_hat) / a.sqrt()
    variance = eta**2 * (1 - b) / (1 - a) * (1 - a / b)
    return b.sqrt() * x0 + (1 - b).sqrt() * eps_hat + variance * z
"""),
    "η forgotten, and told t − 1": ("ddim", "plain", "ddim_sample", """
def ddim_sample(eps_model, x_T, alpha_bars, steps, eta, draw_noise):
    ts, x = ddim_timesteps(len(alpha_bars) - 1, steps), x_T
    for t, t_prev in zip(ts, [*ts[1:], 0], strict=True):
        x = ddim_step(x, t, t_prev, eps_model(x, t - 1), alpha_bars, 0.0, draw_noise(t))
    return x
"""),
    "the other paper's w, and the condition for the difference": ("guidance", "plain", "guided_eps", """
def guided_eps(eps_uncond, eps_cond, w):
    return eps_uncond + (1 + w) * eps_cond
"""),
    "dropped where u is large, and all tokens but the first": ("guidance", "plain", "drop_condition", """
def drop_condition(tokens, null, p, u):
    out = tokens.clone()
    out[u > p, 1:] = (torch.zeros_like(tokens) + null)[0, 1:]
    return out
"""),
    "not scaled, and softmax over the places": ("attention", "einsum", "cross_attention", """
def cross_attention(x, text, W_q, W_k, W_v, W_o, heads, mask=None):
    q, k, v = ((a @ W).unflatten(2, (heads, -1)).transpose(1, 2) for a, W in ((x, W_q), (text, W_k), (text, W_v)))
    scores = q @ k.transpose(2, 3)
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None], -1e9)
    return (torch.softmax(scores, 2) @ v).transpose(1, 2).flatten(2) @ W_o
"""),
    "the variance, of the first channel": ("latent", "plain", "latent_scale", """
def latent_scale(latents):
    return latents[:, 0].var()
"""),
    "told t − 1, and never decoded": ("latent", "plain", "latent_sample", """
@torch.no_grad()
def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    T, z = len(alpha_bars) - 1, z_T
    for i in range(steps, 0, -1):
        t, s = T * i // steps, T * (i - 1) // steps
        eps = eps_model(z, t - 1)
        z = alpha_bars[s].sqrt() * (z - (1 - alpha_bars[t]).sqrt() * eps) / alpha_bars[t].sqrt() + (1 - alpha_bars[s]).sqrt() * eps
    return z
"""),
    "the second step told t, and its end for a target": ("distill", "plain", "progressive_target", """
@torch.no_grad()
def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    middle = ddim(x_t, teacher(x_t, t), t, t_mid, alpha_bars)
    return ddim(middle, teacher(middle, t), t_mid, t_end, alpha_bars)
"""),
    "a sum for the mean, and gradients left over": ("distill", "plain", "distill_step", """
def distill_step(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    loss = ((student(x_t, t) - progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars)) ** 2).sum()
    loss.backward()
    optimizer.step()
    return loss.item()
"""),
}  # fmt: skip


@pytest.mark.parametrize("both", BOTH)
def test_two_misconceptions_in_one_function_are_not_taken_for_one(both, judge):
    """What was called, expected and given is told, and no sentence that would put only half of it right."""
    name, style, function, instead = BOTH[both]
    failed = judge(name, (FAIR / name / f"{style}.py").read_text() + instead)
    assert failed[function]
    assert {check.misconception for check in failed[function]} == {None}
    assert all(" expected" in check.message for check in failed[function])
    assert not any(misconception.sentence in check.message for misconception in materials(name).misconceptions for check in failed[function])


# ---- a misconception in a function that another one uses

USES = {
    ("ddpm", "posterior"): ("ddpm_step", "ddpm_sample"),
    ("ddpm", "ddpm_step"): ("ddpm_sample",),
    ("ddim", "ddim_timesteps"): ("ddim_sample",),
    ("ddim", "ddim_step"): ("ddim_sample",),
    ("guidance", "guided_eps"): ("guided_sample",),
    ("latent", "decode"): ("latent_sample",),
    ("distill", "progressive_target"): ("distill_step",),
    ("loss", "noise_mse"): ("training_step",),
}
USED = [(name, of, misconception) for name, of in USES for misconception in misconceptions_of(name)[of][::6]]


def with_misconception(name: str, of: str, misconception: str) -> str:
    """Give the plain solution with a misconception in the place of one function, so that its own other functions use it."""
    sources: dict[str, str] = {}
    text = EXERCISES[name].misconceptions.read_text()
    needed(text, sources)
    modules = [f"_module({module!r}, {source!r})" for module, source in sources.items()]
    mistaken = [HEAD, *modules, f"{of} = _module('misconceptions', {text!r}).{misconception}"]
    return "\n".join([(FAIR / name / "plain.py").read_text(), *mistaken])


@pytest.mark.parametrize(("name", "of", "misconception"), USED, ids=lambda value: value)
def test_a_misconception_in_a_function_that_others_use_is_named_once_and_they_point_to_it(name, of, misconception, judge):
    """Whoever uses it is told what to mend first, and no misconception of theirs: they may well be right.

    It is told as possible where the reference cannot be tried in its place, as with what a model returns.
    """
    failed = judge(name, with_misconception(name, of, misconception))
    assert {check.misconception for check in failed[of]} == {misconception}
    for function in USES[name, of]:
        assert {check.misconception for check in failed[function]} <= {None}
        told = tuple(f" It uses `{of}`, which is not right yet: {do}." for do in ("fix that first", "that may be the cause"))
        assert all(check.message.endswith(told) for check in failed[function])
    others = set(failed) - {of, *USES[name, of]}
    assert [function for function in others if failed[function]] == []
