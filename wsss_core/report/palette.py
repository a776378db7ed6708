"""Colours: class ids in the palette of PASCAL VOC, soft maps as heat."""

from __future__ import annotations

import cv2
import numpy as np

IGNORE = 255


def class_colours() -> np.ndarray:
    """The PASCAL VOC palette, RGB uint8 of shape (256, 3): bit k of a channel's index becomes bit 7 − k of its value.

    Class id i takes bits 0, 3, 6 for red, 1, 4, 7 for green and 2, 5 for blue (the VOC development kit's colour map).
    """
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")  # (256, 8)
    order = np.array([[0, 3, 6], [1, 4, 7], [2, 5, 8]])
    spread = np.pad(bits, ((0, 0), (0, 1)))[:, order]  # (256, channel, 3)
    return (spread * np.array([128, 64, 32], np.uint8)).sum(axis=2).astype(np.uint8)


def css_colour(class_id: int) -> str:
    """A class's colour as `#rrggbb`."""
    return "#" + bytes(class_colours()[class_id]).hex()


def paint_labels(labels: np.ndarray) -> np.ndarray:
    """Class ids, uint8 (H, W), as RGB uint8 (H, W, 3); 255 (no label) as a hatch of light grey and white."""
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise ValueError(f"labels: expected uint8 (H, W), got {labels.dtype} {labels.shape}")
    painted = class_colours()[labels]
    y, x = np.indices(labels.shape)
    hatch = np.where((x + y) // 4 % 2, 255, 214).astype(np.uint8)
    unlabelled = labels == IGNORE
    painted[unlabelled] = hatch[unlabelled][:, None]
    return painted


def paint_heat(scores: np.ndarray) -> np.ndarray:
    """A soft map, uint8 (H, W) with 255 = 1, as RGB uint8 (H, W, 3) from black over red to pale yellow."""
    if scores.ndim != 2 or scores.dtype != np.uint8:
        raise ValueError(f"scores: expected uint8 (H, W), got {scores.dtype} {scores.shape}")
    return cv2.applyColorMap(scores, cv2.COLORMAP_INFERNO)[..., ::-1]
