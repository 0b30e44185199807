"""Known slips in latent.py: each is what a student who has it would have written, and the sentence that puts it right."""

from autograder.api import misconception
from solutions.diffusion.samplers import ddim_sample

# ---- latent_scale


@misconception(of="latent_scale", section="faster", card="latent-scale")
def variance_for_spread(latents):
    """You returned the variance. Latents divided by it would not have unit variance: take its root."""
    return latents.var()


@misconception(of="latent_scale", section="faster", card="latent-scale")
def one_over_the_spread(latents):
    """You returned 1 over the spread. Stable Diffusion keeps that, 0.18, and multiplies; here the spread itself is kept, and divides."""
    return 1 / latents.std()


@misconception(of="latent_scale", section="faster", card="latent-scale")
def mean_not_taken_off(latents):
    """You took the root of the mean square. The spread is measured around the mean: subtract it first."""
    return (latents**2).mean() ** 0.5


@misconception(of="latent_scale", section="faster", card="latent-scale")
def one_spread_for_each_channel(latents):
    """You measured each channel's spread. One number serves all: channels may keep their different sizes."""
    return latents.std(dim=(0, 2, 3))


@misconception(of="latent_scale", section="faster", card="latent-scale")
def spread_within_images(latents):
    """You averaged the spread within each image. What images differ by counts too: take one standard deviation of all numbers."""
    return latents.flatten(2).std(dim=2).mean()


@misconception(of="latent_scale", section="faster", card="latent-scale")
def largest_for_spread(latents):
    """You took the largest value. That is right for a fixed range, like pixels; latents have none: use the standard deviation."""
    return latents.abs().max()


# ---- encode, decode


@misconception(of="encode", section="faster", card="latent-scale")
def encoded_without_scale(vae, x, scale):
    """You left out the scale. Diffusion's noise has variance 1 and expects about that of the latents: divide by their spread."""
    return vae.encode(x)


@misconception(of="encode", section="faster", card="latent-scale")
def multiplied_on_the_way_in(vae, x, scale):
    """You multiplied by the scale. It is the latents' spread: they are divided by it on the way in, multiplied on the way out."""
    return vae.encode(x) * scale


@misconception(of="encode", section="faster", card="latent-scale")
def images_divided(vae, x, scale):
    """You divided the images. The autoencoder knows images as they are; it is its latents that are divided."""
    return vae.encode(x / scale)


@misconception(of="decode", section="faster", card="latent-scale")
def decoded_without_scale(vae, z, scale):
    """You left out the scale. The decoder knows latents of their own spread: multiply it back in before you decode."""
    return vae.decode(z)


@misconception(of="decode", section="faster", card="latent-scale")
def divided_on_the_way_out(vae, z, scale):
    """You divided by the scale. On the way in the latents were divided by their spread, so here they are multiplied."""
    return vae.decode(z / scale)


@misconception(of="decode", section="faster", card="latent-scale")
def images_multiplied(vae, z, scale):
    """You multiplied the images. The scale belongs to the latents: multiply them, then decode."""
    return vae.decode(z) * scale


# ---- latent_sample


def _sample(eps_model, z_T, alpha_bars, steps, *, told=lambda t: t, clip=None, last=-1):
    T = len(alpha_bars) - 1
    path = [T * i // steps for i in range(steps, last, -1)]
    return ddim_sample(lambda z, t: eps_model(z, told(t)), z_T, alpha_bars, path, clip=clip)


@misconception(of="latent_sample", section="faster", card="latent-scale")
def sampled_without_scale(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You decoded latents of unit spread. The decoder knows them at their own: multiply by the scale first."""
    return vae.decode(_sample(eps_model, z_T, alpha_bars, steps))


@misconception(of="latent_sample", section="faster", card="latent-scale")
def noise_scaled_too(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You multiplied z_T by the scale. All of the walk happens at unit spread; only its end is scaled, to be decoded."""
    return vae.decode(_sample(eps_model, z_T * scale, alpha_bars, steps))


@misconception(of="latent_sample", section="faster", card="first-stage")
def noise_decoded(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You decoded the noise. The autoencoder only compresses; it is diffusion that makes latents of an image out of noise."""
    return vae.decode(z_T * scale)


@misconception(of="latent_sample", section="faster", card="first-stage")
def never_decoded(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You returned latents. They are a code for an image: decode them at the end."""
    return _sample(eps_model, z_T, alpha_bars, steps) * scale


@misconception(of="latent_sample", section="generating", card="what-to-clamp")
def latents_clamped(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You clamped ẑ_0 to [−1, 1]. That is the range of pixels; latents have none."""
    return vae.decode(_sample(eps_model, z_T, alpha_bars, steps, clip=1.0) * scale)


@misconception(of="latent_sample", section="generating", card="which-t-asked")
def told_one_too_low(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You told the network t − 1. Here t counts from 1, and z_t is shown to the network with t itself."""
    return vae.decode(_sample(eps_model, z_T, alpha_bars, steps, told=lambda t: t - 1) * scale)


@misconception(of="latent_sample", section="faster", card="last-step")
def stopped_before_zero(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You stopped at the last t of the grid. One step is left, from there to 0, and with it the last of the noise."""
    return vae.decode(_sample(eps_model, z_T, alpha_bars, steps, last=0) * scale)
