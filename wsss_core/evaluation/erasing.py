"""What erasing adds to saliency: every step against the objects of the true mask, image by image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

HALF = 128  # of a map in 0..255: salient from 0.5 on
LISTED = 3


def step_ious(steps: NDArray[np.uint8], truth: NDArray[np.uint8]) -> list[float]:
    """Intersection over union of what is salient at each step with all objects of the mask.

    Args:
        steps: maps S1 to SK, value / 255, uint8 (K, H, W).
        truth: class ids, 0 = background, 255 = ignore, uint8 (H, W).

    Returns:
        K numbers in [0, 1]; 1 where nothing is salient in either.

    Raises:
        ValueError: sizes differ.
    """
    if steps.shape[1:] != truth.shape:
        raise ValueError(f"expected maps of the mask's size {truth.shape}, got {steps.shape[1:]}")
    known = truth != 255
    salient, objects = (steps >= HALF) & known, (truth > 0) & known
    both, either = (salient & objects).sum((1, 2)), (salient | objects).sum((1, 2))
    return [float(b / e) if e else 1.0 for b, e in zip(both, either, strict=True)]


def erasing_summary(ious: Mapping[str, list[float]]) -> dict[str, Any]:
    """Figures of a split from each image's `step_ious`.

    Returns:
        `iou`, mean over images of every step; `changed`, for every erasing the parts of the images that it made better
        and worse; `helped` and `hurt`, the images that erasing changed most from the first step to the last; `images`.
    """
    table = np.array(list(ious.values()))  # (n, K)
    change = table[:, -1] - table[:, 0]
    order = [list(ious)[i] for i in np.argsort(change, kind="stable")]
    moved = dict(zip(ious, change.tolist(), strict=True))
    steps = np.diff(table, axis=1)
    return {
        "iou": table.mean(0).tolist(),
        "changed": [{"better": float((s > 0).mean()), "worse": float((s < 0).mean())} for s in steps.T],
        "helped": [name for name in order[::-1][:LISTED] if moved[name] > 0],
        "hurt": [name for name in order[:LISTED] if moved[name] < 0],
        "images": len(table),
    }
