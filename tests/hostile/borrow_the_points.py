"""Attacks on what a check asks beside values: how often, of which object, with which weights, about which image."""

from .attack import PRELUDE, Attack
from .cost_the_grader import WHATEVER, block

LATENT = """
import sys, torch


def latent_scale(latents):
    return latents.std()


def encode(vae, x, scale):
    return vae.encode(x) / scale


def decode(vae, z, scale):
    return vae.decode(z * scale)


def latent_sample(vae, eps_model, z_T, alpha_bars, steps, scale):
    T, z = len(alpha_bars) - 1, z_T
    {first}
    for i in range(steps, 0, -1):
        t, s = T * i // steps, T * (i - 1) // steps
        eps = eps_model(z, t)
        z = alpha_bars[s] ** .5 * (z - (1 - alpha_bars[t]) ** .5 * eps) / alpha_bars[t] ** .5 + (1 - alpha_bars[s]) ** .5 * eps
        {each}
    return vae.decode(z * scale)


print("TRIED", flush=True)
"""
ALL_BUT_COUNTED = frozenset({
    "the_spread", "the_way_in", "the_way_out", "sampled_in_latents", "sampling_leaves_its_arguments", "images_stay", "latents_stay",
})  # fmt: skip

# id, promise, what happens before the first step and after each: the latents are decoded at every step, which is wrong
COUNTED = (
    ("decodes-at-every-step", "Decoding at every step is counted where it is answered", "pass", "vae.decode(z)"),
    ("decodes-by-another-name", "A method under another name is the same method", "look = vae.decode", "look(z)"),
    ("decodes-part-by-part", "Decoding latents one at a time counts each", "pass", "[vae.decode(row) for row in z.split(1)]"),
    ("decodes-and-hides-it", "A replaced list of what was decoded hides nothing",
     "vae.decodings = lambda: [4]; vae.decoded = []", "vae.decode(z)"),
)  # fmt: skip

DISTILL = """
import sys, torch


def at(bars, t):
    return bars[torch.as_tensor(t)].reshape(-1, 1, 1, 1)


def progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars):
    a, b, c = (at(alpha_bars, s) for s in (t, t_mid, t_end))
    e = teacher(x_t, t)
    x = b ** .5 * (x_t - (1 - a) ** .5 * e) / a ** .5 + (1 - b) ** .5 * e
    e = teacher(x, t_mid)
    z = c ** .5 * (x - (1 - b) ** .5 * e) / b ** .5 + (1 - c) ** .5 * e
    return (z - (c / a) ** .5 * x_t) / ((1 - c) ** .5 - (c / a) ** .5 * (1 - a) ** .5)


def distill_step(student, teacher, optimizer, x_t, t, t_mid, t_end, alpha_bars):
    loss = ((student(x_t, t) - progressive_target(teacher, x_t, t, t_mid, t_end, alpha_bars)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    {after}
    return loss.detach()


print("TRIED", flush=True)
"""
ALL_BUT_TAUGHT = frozenset({
    "one_t_for_all", "one_t_per_sample", "the_teacher_takes_two_steps", "several_steps", "target_leaves_its_arguments", "step_leaves_its_batch",
})  # fmt: skip

# id, promise, what hides afterwards that gradients flow into the teacher, and the checks that this costs beside
TAUGHT = (
    ("teaches-the-teacher", "A teacher that learns is seen by what is learned from it", "pass", frozenset()),
    ("replaces-what-props-say", "What the props say can be replaced, and is not asked", "sys.modules['props'].gradients = lambda model: []",
     frozenset()),
    ("names-no-parameter", "A teacher that names no parameter has learned all the same", "type(teacher).named_parameters = lambda *a, **k: iter(())",
     frozenset({"step_leaves_its_batch"})),
    ("clears-the-traces", "Clearing the gradients afterwards comes too late", "[setattr(p, 'grad', None) for p in teacher.parameters()]",
     frozenset()),
)  # fmt: skip

BLOCKS = (
    ("block-without-weights", "A block without weights has nothing to learn", "x + emb.sum(1)[:, None, None, None]",
     "    def state_dict(self, *a, **k):\n        return {}\n    def load_state_dict(self, w, *a, **k):\n        pass"),
    ("weights-that-do-nothing", "Weights that are never used are no weights", "x + emb.sum(1)[:, None, None, None]", ""),
    ("weights-that-are-not-taken", "A block that keeps its own weights is found out", "self.right(x, emb)",
     "    def load_state_dict(self, w, *a, **k):\n        pass"),
    ("embedding-beside-the-weights", "An embedding that passes no weights is not learned from",
     "torch.tanh(self.conv(x)) + emb.sum(1)[:, None, None, None]", ""),
)  # fmt: skip

STEPS = (
    ("one-number-by-heart", "The lesson's worked example alone is no function", "return 0.664"),
    ("published-numbers-by-heart", "Answers to the published numbers are no answers to others",
     "return 0.664 if abs(x_prev if np.ndim(x_prev) == 0 else 0) == 0.8 else x_prev"),
)  # fmt: skip

ATTACKS = (
    *(
        Attack(name, promise, PRELUDE + LATENT.format(first=first, each=each), ALL_BUT_COUNTED, reasons=WHATEVER, exercise="latent")
        for name, promise, first, each in COUNTED
    ),
    *(
        Attack(name, promise, PRELUDE + DISTILL.format(after=after), ALL_BUT_TAUGHT - lost, reasons=WHATEVER, exercise="distill")
        for name, promise, after, lost in TAUGHT
    ),
    *(
        Attack(name, promise, PRELUDE + block(forward, more), "part", reasons=WHATEVER, exercise="timestep")
        for name, promise, forward, more in BLOCKS
    ),
    *(
        Attack(name, promise, PRELUDE + f"print('TRIED', flush=True)\n\n\ndef forward_step(x_prev, beta, eps):\n    {act}\n", reasons=WHATEVER)
        for name, promise, act in STEPS
    ),
)
