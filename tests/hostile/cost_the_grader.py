"""Attacks on the trusted side's own memory and time: values that are small when they are sent, and large when somebody computes with them.

Whoever makes the grader fail wants a "not judged", which most platforms leave out of the grade. Each of these is refused, or wrong.
"""

from .attack import PRELUDE, Attack, while_right
from .break_the_protocol import FORGE

WHATEVER = frozenset({"wrong", "raised", "refused", "out_of_memory", "killed", "timed_out"})

BLOCK = """
import torch
from torch import nn


class ConditionedBlock(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.conv, self.told, self.calls = nn.Conv2d(channels, channels, 3, padding=1), nn.Linear(dim, channels), 0

    def right(self, x, emb):
        return x + torch.tanh(self.conv(x) + self.told(emb)[:, :, None, None])

    def forward(self, x, emb):
        self.calls += 1
        return {forward}
{more}

print("TRIED", flush=True)
"""
N = 2_000_000


def block(forward: str = "self.right(x, emb)", more: str = "") -> str:
    return BLOCK.format(forward=forward, more="\n" + more if more else "")


# id, promise, what the block gives, what else it has; it keeps the shape at its first two calls
BLOCKS = (
    ("columns-and-rows", "A column minus a row is not computed",
     f"x if self.calls < 2 else torch.zeros(({N}, 1) if self.calls % 2 else (1, {N}), dtype=torch.uint8)", ""),
    ("one-long-row", "A row as long as a frame is another shape", f"torch.zeros((1, {4 * N}), dtype=torch.uint8)", ""),
    ("eight-axes-of-bytes", "An array that broadcasts along eight axes is another shape",
     f"torch.zeros(({N}, 1, 1, 1, 1, 1, 1, 1), dtype=torch.uint8)", ""),
    ("a-list-of-columns", "A list of a column and a row is no array",
     f"[torch.zeros(({N}, 1), dtype=torch.uint8), torch.zeros((1, {N}), dtype=torch.uint8)]", ""),
    ("state-of-half-floats", "A state that is twice as large when it is sent back is refused", "x",
     "    def state_dict(self, *a, **k):\n        return {'w': torch.zeros(3_000_000, dtype=torch.float16)}"),
    ("state-of-bytes", "A state of eight million bytes is refused before it is drawn anew", "x",
     "    def state_dict(self, *a, **k):\n        return {'w': torch.zeros(8_000_000, dtype=torch.uint8), 'v': torch.zeros(1)}"),
    ("state-of-names", "A state of thousands of long names is told in few words", "x",
     "    def state_dict(self, *a, **k):\n        return {str(i) + 'n' * 800: torch.zeros(1) for i in range(4000)}"),
    ("state-that-is-none", "A state of other things than arrays is refused", "x",
     "    def state_dict(self, *a, **k):\n        return {'a': 'text', 'b': None, 'c': [1, [2]], 'd': object()}"),
    ("state-without-end", "A state that changes with each look is no state", "x",
     "    def state_dict(self, *a, **k):\n        self.calls += 1\n        return {str(self.calls): torch.zeros(self.calls)}\n"
     "    def load_state_dict(self, w, *a, **k):\n        pass"),
)  # fmt: skip

ASKING = """
import numpy as np, torch


def guided_eps(eps_uncond, eps_cond, w):
    raise NotImplementedError


def drop_condition(tokens, null, p, u):
    raise NotImplementedError


def guided_sample(eps_model, tokens, null, w, x_T, alpha_bars, steps):
    rows = 250_000
    byte = lambda *shape: torch.zeros(shape, dtype=torch.uint8)
    {act}
    return x_T


print("TRIED", flush=True)
"""

# id, promise, how the network is asked
ASKED = (
    ("a-column-of-t", "A t for each row in a column is no matrix", "eps_model(byte(rows, 2, 3, 4), byte(rows, 1), byte(rows, 6))"),
    ("a-row-of-t", "Nor is one in a row", "eps_model(byte(rows, 2, 3, 4), byte(1, rows), byte(rows, 6))"),
    ("rows-without-end", "A batch of a quarter of a million rows is refused", "eps_model(byte(rows, 2, 3, 4), 3, byte(rows, 6))"),
    ("captions-without-end", "More captions than images are refused", "eps_model(x_T, 3, byte(rows, 6))"),
    ("lists-of-arrays", "A list of arrays is measured before it is read number by number",
     "eps_model([[byte(8_000_000)]], [byte(8_000_000)], [[byte(8_000_000)]])"),
    ("t-that-is-infinite", "A t that is infinite, or no number, asks for nothing", "eps_model(x_T, float('inf'), tokens)"),
    ("t-beyond-64-bits", "A t of twenty digits asks for nothing", "eps_model(x_T, 10**18, tokens)"),
    ("asked-five-thousand-times", "A network asked thousands of times for nothing is refused",
     "while True: eps_model(x_T, 3, tokens)"),
    ("questions-of-lists", "Questions of ten thousand lists each cost no gigabytes",
     "while True:\n        try: eps_model([[] for _ in range(9_000)], [], {})\n        except ValueError: pass"),
    ("questions-of-megabytes", "Questions of megabytes each are few",
     "while True: eps_model(byte(8_000_000), 3, tokens)"),
    ("many-noises-at-one-image", "A formula of thousands of noises is not looked into",
     "return sum(eps_model(x_T, t, tokens) for t in range(1, 400))"),
)  # fmt: skip

SAMPLERS = """
import torch


def ddpm_sample(eps_model, x_T, betas, draw_noise):
    if x_T.ndim < 4:
        return {instead}
    bars, x = torch.cumprod(1 - betas.double(), 0), x_T
    for t in range(len(betas) - 1, 0, -1):
        beta, bar, before = betas[t].double(), bars[t], bars[t - 1]
        eps = eps_model(x, t)
        x0 = (x - (1 - bar) ** 0.5 * eps) / bar ** 0.5
        x = before ** 0.5 * beta / (1 - bar) * x0 + (1 - beta) ** 0.5 * (1 - before) / (1 - bar) * x
        if t > 1:
            x = x + ((1 - before) / (1 - bar) * beta) ** 0.5 * draw_noise(t)
        x = x.float()
    return x


print("TRIED", flush=True)
"""
KNOWN_WALKS = frozenset({"the_walk", "the_model_is_asked_for_every_t", "one_known_image", "walk_leaves_its_arguments"})

# id, promise, what is given in the place of three thousand points in the plane
POINTS = (
    ("points-on-their-side", "The covariance of two points in a million dimensions is not computed", "torch.zeros((2, 4_000_000), dtype=torch.uint8)"),
    ("noise-of-another-step", "A step that is none draws no noise", "draw_noise(10**30)"),
    ("noise-of-no-step", "Nor does one that is no number", "draw_noise(float('nan'))"),
)  # fmt: skip

REPLIES = (
    ("half-a-gigabyte-of-changes", "A forged list of changed arguments is refused",
     "raw(reply(0.5, '', '', [], ['\\x1b[31m' + '\\x01' * 64_000 + str(i) for i in range(120)]))"),
    ("keys-of-megabytes", "A dict whose keys are megabytes of text is told in few words",
     "raw(reply({str(i) + 'k' * 60_000: 1 for i in range(120)}))"),
    ("nine-thousand-dicts", "Thousands of dicts are weighed before they are built", "raw(reply([{} for _ in range(9_000)]))"),
    ("lines-that-are-numbers", "Lines that an exception never passed are left out",
     "raw(pack(['Reply', guest.running, 'raised', None, 'E', 'm', ['line 0.664', 'told: 12', 'line 3\\n'], []]))"),
    ("lacks-a-module-again-and-again", "Asking for a fuller server again and again is answered twice at most",
     "raw(pack(['Lacks', guest.running, 'torch']))"),
)  # fmt: skip


def replying(act: str) -> str:
    return PRELUDE + FORGE + f"print('TRIED', flush=True)\n\n\ndef forward_step(x_prev, beta, eps):\n    {act}\n    gone()\n"


# A wrong function, and one that uses it: the grader answers in the wrong one's place, to see whose mistake it is.
LEANS = """
def predict_x0(x_t, t, eps, alpha_bars):
    return 3 * x_t


def noise_to(x0, t, eps, alpha_bars):
    {act}
    return 2 * predict_x0(x0, t, eps, alpha_bars)


print("TRIED", flush=True)
"""
LEANING = (
    ("the-answer-to-gigabytes", "The reference is asked for no gigabytes",
     "predict_x0(np.zeros((2_000_000, 1)), 1, np.zeros((1, 500_000)), alpha_bars)"),
    ("the-answers-to-everything", "Thousands of answers of the reference's are not kept",
     "[predict_x0(np.full(60_000, i), 1, np.ones(60_000), alpha_bars) for i in range(60)]"),
)  # fmt: skip
RIGHT_BEFORE = frozenset({"starts_and_ends", "usual_schedule", "multiplies_up", "betas_stay", "by_hand", "a_batch_by_a_step", "step_arguments_stay"})

ATTACKS = (
    *(
        Attack(name, promise, PRELUDE + block(forward, more), earns="part", reasons=WHATEVER, exercise="timestep")
        for name, promise, forward, more in BLOCKS
    ),
    *(
        Attack(name, promise, PRELUDE + ASKING.format(act=act), reasons=WHATEVER, exercise="guidance") for name, promise, act in ASKED
    ),
    *(
        Attack(name, promise, PRELUDE + SAMPLERS.format(instead=instead), earns=KNOWN_WALKS, reasons=WHATEVER, exercise="ddpm")
        for name, promise, instead in POINTS
    ),
    *(Attack(name, promise, replying(act), reasons=WHATEVER) for name, promise, act in REPLIES),
    *(Attack(name, promise, while_right(LEANS.format(act=act)), earns=RIGHT_BEFORE, reasons=WHATEVER) for name, promise, act in LEANING),
)
