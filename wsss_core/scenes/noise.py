"""Random fields with the spectrum of natural images."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def power_noise(rng: np.random.Generator, height: int, width: int, *, exponent: float, stretch: float = 1.0) -> NDArray:
    """Noise whose amplitude falls as 1 / frequency ** exponent; natural images have an exponent near 1.

    Args:
        exponent: 0 is white noise, 2 is cloud-like.
        stretch: how many times longer the structures are along x than along y.

    Returns:
        About zero mean and unit standard deviation, float32, shape (height, width).
    """
    rows, columns = (
        cv2.getOptimalDFTSize(height),
        cv2.getOptimalDFTSize(width),
    )  # a prime side would take ten times as long
    frequency_y = np.fft.fftfreq(rows).astype(np.float32)[:, None]
    frequency_x = np.fft.rfftfreq(columns).astype(np.float32)[None, :] * stretch
    frequency = np.hypot(frequency_y, frequency_x)
    frequency[0, 0] = 1.0
    amplitude = frequency**-exponent
    amplitude[0, 0] = 0.0
    spectrum = np.fft.rfft2(rng.standard_normal((rows, columns), dtype=np.float32)) * amplitude
    field = np.fft.irfft2(spectrum, s=(rows, columns))
    return (field / max(float(field.std()), 1e-9)).astype(np.float32)[:height, :width]
