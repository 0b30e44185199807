"""Filter an image with a kernel."""


def output_size(size, kernel, stride=1, padding=0):
    """Return at how many places a kernel fits into a row of `size` pixels, as an int.

    size, kernel, stride, padding: whole numbers; `padding` pixels are added on both sides.
    """
    raise NotImplementedError("output_size")


def correlate(image, kernel):
    """Return the image filtered with the kernel, without padding, so only where the whole kernel fits.

    image: (H, W); kernel: (h, w), not larger. Both are arrays of floats. Returns (H - h + 1, W - w + 1).
    """
    raise NotImplementedError("correlate")
