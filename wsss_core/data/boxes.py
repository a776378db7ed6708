"""Bounding boxes on the pixel grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def class_planes(boxes: NDArray, class_ids: NDArray, ids: NDArray, *, height: int, width: int) -> NDArray:
    """One plane per class of `ids`, 255 inside the boxes of that class and 0 elsewhere: uint8 (L, H, W).

    Args:
        boxes: integers (n, 4), xmin, ymin, xmax, ymax in pixels, 0-based, half-open; clipped at the image's border.
        class_ids: integers (n,), the boxes' classes.
        ids: integers (L,), the planes' classes; boxes of other classes are left out.
        height, width: of the image.

    Raises:
        ValueError: a box that is empty or outside the image, or numbers of boxes and classes that differ.
    """
    planes = np.zeros((len(ids), height, width), np.uint8)
    for box, class_id in largest_first(boxes, class_ids, height=height, width=width):
        for plane in np.flatnonzero(np.asarray(ids) == class_id):
            planes[(plane, *inside(box))] = 255
    return planes


def largest_first(boxes: NDArray, class_ids: NDArray, *, height: int, width: int) -> list[tuple[NDArray, int]]:
    """Boxes clipped at the image's border and their classes, from large to small: what is painted last is smallest.

    Raises:
        ValueError: see `class_planes`.
    """
    boxes, class_ids = np.asarray(boxes, np.int64).reshape(-1, 4), np.asarray(class_ids)
    if len(boxes) != len(class_ids):
        raise ValueError(f"expected one class per box, got {len(boxes)} boxes and {len(class_ids)} classes")
    clipped = np.clip(boxes, 0, [width, height, width, height])
    sides = clipped[:, 2:] - clipped[:, :2]
    for box, side in zip(boxes, sides, strict=True):
        if side.min() < 1:
            raise ValueError(f"the box {box.tolist()} is empty or outside the image of {width} × {height} pixels")
    order = np.argsort(-sides.prod(1), kind="stable")
    return [(clipped[i], int(class_ids[i])) for i in order]


def inside(box: NDArray) -> tuple[slice, slice]:
    """Rows and columns of a clipped box."""
    xmin, ymin, xmax, ymax = (int(edge) for edge in box)
    return slice(ymin, ymax), slice(xmin, xmax)


def central(box: NDArray, share: float) -> NDArray:
    """The rectangle of `share` of the box's area around its middle, at least one pixel wide and high."""
    low, high = box[:2], box[2:]
    sides = np.maximum(1, np.rint((high - low) * np.sqrt(share))).astype(np.int64)
    begin = low + (high - low - sides) // 2
    return np.concatenate([begin, begin + sides])
