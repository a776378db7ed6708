"""How good a class-agnostic saliency detector is."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def saliency_figures(pairs: Iterable[tuple[NDArray[np.floating], NDArray[np.uint8]]]) -> dict[str, float]:
    """Intersection over union at 0.5 and mean absolute error, each a mean over images.

    Args:
        pairs: per image the map in [0, 1] and the truth, 1 = salient, 0 = not, 255 = ignore, both (H, W). An image
            where nothing is salient in either has an IoU of 1.

    Returns:
        `iou` and `mae` in [0, 1], and `images`, their number.

    Raises:
        ValueError: shapes differ, or no image is given.
    """
    ious, errors = [], []
    for map_, truth in pairs:
        if map_.shape != truth.shape:
            raise ValueError(f"expected a map of the mask's size {truth.shape}, got {map_.shape}")
        known = truth != 255
        found, salient = (map_ > 0.5) & known, truth == 1
        union = int((found | salient).sum())
        ious.append(int((found & salient).sum()) / union if union else 1.0)
        errors.append(float(np.abs(map_ - salient)[known].mean()))
    if not ious:
        raise ValueError("expected at least one image, got none")
    return {"iou": float(np.mean(ious)), "mae": float(np.mean(errors)), "images": len(ious)}
