"""A small latent text-to-image model in colour, on emoji: data, networks, training and measures. Start with `model`."""
