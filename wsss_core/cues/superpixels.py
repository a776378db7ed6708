"""Superpixels by graph-based segmentation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb

# The highest uint16 marks what lies outside an image in a padded stack.
OUTSIDE = 65535


def superpixels(photo: NDArray[np.uint8], *, scale: float, sigma: float, min_size: int) -> NDArray[np.uint16]:
    """Regions of similar colour (Felzenszwalb & Huttenlocher 2004; Wang et al. 2019, §3.3).

    Args:
        photo: RGB uint8, shape (H, W, 3).
        scale: larger means larger regions.
        sigma: width of the Gaussian that smooths the photo first, in pixels.
        min_size: pixels of the smallest region.

    Returns:
        Region numbers 0, 1, …, n - 1, uint16, shape (H, W).

    Raises:
        ValueError: not a photo, or more regions than uint16 can number.
    """
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
        raise ValueError(f"photo: expected uint8 (H, W, 3), got {photo.dtype} {photo.shape}")
    regions = felzenszwalb(photo, scale=scale, sigma=sigma, min_size=min_size)
    n_regions = int(regions.max()) + 1
    if n_regions > OUTSIDE:
        raise ValueError(f"expected at most {OUTSIDE} regions, got {n_regions}; raise scale or min_size")
    return regions.astype(np.uint16)
