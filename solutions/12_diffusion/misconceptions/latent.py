"""Known misconceptions about latent.py: the code that a student with each of them would write, and the sentence that corrects it."""

from autograder.api import misconception
from solutions.diffusion.samplers import ddim_sample

# ---- latent_scale


@misconception(of="latent_scale", section="faster", card="latent-scale")
def variance_for_spread(latents):
    """You returned the variance. Latents divided by it would not have unit variance: take its root."""
    return latents.var()


@misconception(of="latent_scale", section="faster", card="latent-scale")
def one_over_the_spread(latents):
    """You returned 1 over the standard deviation. Stable Diffusion stores that, 0.18, and multiplies by it; here you divide."""
    return 1 / latents.std()


@misconception(of="latent_scale", section="faster", card="latent-scale")
def mean_not_taken_off(latents):
    """You took the root of the mean square. The standard deviation is measured around the mean: subtract it first."""
    return (latents**2).mean() ** 0.5


@misconception(of="latent_scale", section="faster", card="latent-scale")
def one_spread_for_each_channel(latents):
    """You took the standard deviation per channel. One number serves all: channels may keep their different sizes."""
    return latents.std(dim=(0, 2, 3))


@misconception(of="latent_scale", section="faster", card="latent-scale")
def spread_within_images(latents):
    """You averaged the images' own standard deviations. Differences between images count too: take a single one over all numbers."""
    return latents.flatten(1).std(dim=1).mean()


@misconception(of="latent_scale", section="faster", card="latent-scale")
def spread_within_channels(latents):
    """You averaged the deviations of single channels of single images. Differences between them count too: take one over all numbers."""
    return latents.flatten(2).std(dim=2).mean()


@misconception(of="latent_scale", section="faster", card="latent-scale")
def largest_for_spread(latents):
    """You took the largest value. That is right for a fixed range, like pixels; latents have none: use the standard deviation."""
    return latents.abs().max()


# ---- encode, decode


@misconception(of="encode", section="faster", card="latent-scale")
def encoded_without_scale(vae, x, scale):
    """You left out the scale. Diffusion's noise has variance 1, and the latents need about the same: divide them by the scale."""
    return vae.encode(x)


@misconception(of="encode", section="faster", card="latent-scale")
def multiplied_on_the_way_in(vae, x, scale):
    """You multiplied by the scale. It is the latents' standard deviation: divide by it when encoding, multiply by it when decoding."""
    return vae.encode(x) * scale


@misconception(of="encode", section="faster", card="latent-scale")
def images_divided(vae, x, scale):
    """You divided the images. The autoencoder expects images as they are; divide its latents."""
    return vae.encode(x / scale)


@misconception(of="decode", section="faster", card="latent-scale")
def decoded_without_scale(vae, z, scale):
    """You left out the scale. The decoder expects unscaled latents: multiply by the scale before you decode."""
    return vae.decode(z)


@misconception(of="decode", section="faster", card="latent-scale")
def divided_on_the_way_out(vae, z, scale):
    """You divided by the scale. Encoding divided the latents by it, so decoding multiplies."""
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
    """You decoded latents of unit variance. The decoder expects unscaled latents: multiply by the scale first."""
    return vae.decode(_sample(eps_model, z_T, alpha_bars, steps))


@misconception(of="latent_sample", section="faster", card="latent-scale")
def noise_scaled_too(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You multiplied z_T by the scale. All sampling steps work at unit variance; only the result is scaled, for decoding."""
    return vae.decode(_sample(eps_model, z_T * scale, alpha_bars, steps))


@misconception(of="latent_sample", section="faster", card="first-stage")
def noise_decoded(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You decoded the noise. The autoencoder only compresses; diffusion turns noise into the latents of an image."""
    return vae.decode(z_T * scale)


@misconception(of="latent_sample", section="faster", card="first-stage")
def never_decoded(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You returned latents. They are a code for an image: decode them at the end."""
    return _sample(eps_model, z_T, alpha_bars, steps) * scale


@misconception(of="latent_sample", section="generating", card="what-to-clamp")
def latents_clamped(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You clamped ẑ_0 to [−1, 1]. That is the range of pixels; latents have no fixed range."""
    return vae.decode(_sample(eps_model, z_T, alpha_bars, steps, clip=1.0) * scale)


@misconception(of="latent_sample", section="generating", card="which-t-asked")
def told_one_too_low(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You gave the network t − 1. Here t counts from 1, and z_t goes in together with t itself."""
    return vae.decode(_sample(eps_model, z_T, alpha_bars, steps, told=lambda t: t - 1) * scale)


@misconception(of="latent_sample", section="faster", card="last-step")
def stopped_before_zero(vae, eps_model, z_T, alpha_bars, steps, scale):
    """You stopped at the last t of the grid. One step is missing, from there to 0, which removes the last of the noise."""
    return vae.decode(_sample(eps_model, z_T, alpha_bars, steps, last=0) * scale)
