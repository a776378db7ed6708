"""Colours changed from point to point by a field: mixed, brightened, painted through a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def mix(first: NDArray, second: NDArray, weight: NDArray) -> NDArray:
    """Colour `first` where `weight` is 0, `second` where it is 1; weight is clipped to [0, 1].

    Args:
        first, second: RGB in [0, 1], shape (3,) or (H, W, 3).
        weight: shape (H, W).

    Returns:
        RGB in [0, 1], float32, shape (H, W, 3).
    """
    share = np.clip(weight, 0.0, 1.0).astype(np.float32)
    start, end = np.asarray(first, np.float32), np.asarray(second, np.float32)
    # Channel by channel: numpy takes five times as long over a last axis of three.
    return cv2.merge([start[..., c] + (end[..., c] - start[..., c]) * share for c in range(3)])


def lit(colour: NDArray, brightness: NDArray) -> NDArray:
    """RGB `colour`, shape (3,) or (H, W, 3), times `brightness`, shape (H, W); not clipped."""
    plain, factor = np.asarray(colour, np.float32), brightness.astype(np.float32)
    return cv2.merge([plain[..., c] * factor for c in range(3)])


def paint(canvas: NDArray, colour: NDArray, mask: NDArray[np.bool_]) -> None:
    """Copy `colour` into `canvas`, both RGB float32 (H, W, 3), where the mask (H, W) is set; canvas may be a window."""
    cv2.copyTo(colour, mask.astype(np.uint8), canvas)
