"""Scaling raw class maps to attention in [0, 1]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def normalise(volume: NDArray[np.floating]) -> NDArray[np.floating]:
    """Min-max of each class on its own (Chaudhry et al. 2017, §4.1).

    Args:
        volume: scores of any range, shape (K, h, w).

    Returns:
        Attention in [0, 1], the same shape and dtype; 0 where a map is constant.

    Raises:
        ValueError: not a volume of finite numbers.
    """
    _check(volume)
    low = volume.min(axis=(1, 2), keepdims=True)
    return _divide(volume - low, volume.max(axis=(1, 2), keepdims=True) - low)


def normalise_cam(total: NDArray[np.floating]) -> NDArray[np.floating]:
    """Class activation maps divided by each class's maximum (Zhou et al. 2016, as used by Ahn & Kwak 2018).

    Unlike `normalise`, a map that is positive everywhere keeps its lowest value above 0.

    Args:
        total: rectified maps, summed over scales and mirror images, ≥ 0, shape (K, h, w).

    Returns:
        Attention in [0, 1], the same shape and dtype; 0 where a class is nowhere active.

    Raises:
        ValueError: not a volume of finite numbers ≥ 0.
    """
    _check(total)
    if total.size and total.min() < 0:
        raise ValueError(f"total: expected rectified maps >= 0, got {total.min():g}")
    return _divide(total, total.max(axis=(1, 2), keepdims=True))


def _check(volume: NDArray[np.floating]) -> None:
    if volume.ndim != 3 or not volume.shape[1] or not volume.shape[2]:
        raise ValueError(f"expected maps (K, h, w) with h, w >= 1, got {volume.shape}")
    if not np.isfinite(volume).all():
        raise ValueError("expected finite scores, got NaN or infinity")


def _divide(volume: NDArray[np.floating], by: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.divide(volume, by, out=np.zeros_like(volume), where=by > 0)
