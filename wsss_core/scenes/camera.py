"""From drawn light to a photo: exposure, lens, sensor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from wsss_core.scenes.colour import lit


def photograph(rng: np.random.Generator, canvas: NDArray, oversampling: int) -> NDArray[np.uint8]:
    """Average `oversampling`² canvas pixels into one and add what a camera adds.

    Args:
        canvas: RGB in [0, 1], float32, shape (H * oversampling, W * oversampling, 3).

    Returns:
        RGB photo, uint8, shape (H, W, 3).
    """
    height, width = canvas.shape[0] // oversampling, canvas.shape[1] // oversampling
    photo = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    rows = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :]
    fall_off = 1.0 - rng.uniform(0.0, 0.15) * (rows**2 + columns**2)
    warmth = rng.uniform(-0.05, 0.05)
    exposure = rng.uniform(0.88, 1.12) * np.array([1.0 + warmth, 1.0, 1.0 - warmth])
    photo = lit(photo, fall_off) * exposure.astype(np.float32)
    photo = cv2.GaussianBlur(photo, (0, 0), rng.uniform(0.3, 0.6))
    noise = rng.uniform(0.004, 0.018) * rng.standard_normal(photo.shape, dtype=np.float32)
    return np.round(np.clip(photo + noise, 0.0, 1.0) * 255).astype(np.uint8)
