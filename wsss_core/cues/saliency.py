"""Hierarchical saliency: find the most salient region, erase it, look again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Detect = Callable[[list[NDArray[np.uint8]]], list[NDArray[np.float32]]]


@dataclass(frozen=True)
class HierarchicalSaliency:
    """Saliency of one photo, step by step.

    Attributes:
        steps: S_1 ≤ S_2 ≤ … ≤ S_K, float32 in [0, 1], shape (K, H, W).
        erased: what was erased before the detector looked for S_{k+1}, cumulative, bool, shape (K - 1, H, W).
    """

    steps: NDArray[np.float32]
    erased: NDArray[np.bool_]


def erase(photo: NDArray[np.uint8], mask: NDArray[np.bool_], mean_colour: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of the photo with `mask` painted over in one colour.

    Args:
        photo: RGB uint8, shape (H, W, 3).
        mask: bool, shape (H, W).
        mean_colour: the data set's mean colour, uint8, shape (3,).

    Raises:
        ValueError: shapes or dtypes do not fit.
    """
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
        raise ValueError(f"photo: expected uint8 (H, W, 3), got {photo.dtype} {photo.shape}")
    if mask.dtype != np.bool_ or mask.shape != photo.shape[:2]:
        raise ValueError(f"mask: expected bool {photo.shape[:2]}, got {mask.dtype} {mask.shape}")
    if mean_colour.dtype != np.uint8 or mean_colour.shape != (3,):
        raise ValueError(f"mean_colour: expected uint8 (3,), got {mean_colour.dtype} {mean_colour.shape}")
    return np.where(mask[..., None], mean_colour, photo)


def hierarchical_saliency(
    photos: Sequence[NDArray[np.uint8]],
    detect: Detect,
    *,
    thresholds: Sequence[float] = (0.7, 0.8),
    mean_colour: NDArray[np.uint8],
) -> list[HierarchicalSaliency]:
    """Find further salient regions by erasing those found before (Chaudhry et al. 2017, §4.2).

    `S_1 = sal(I_0)`, then for each threshold `I_k = erase(I_{k-1}, sal(I_{k-1}) > t_k)` and
    `S_{k+1} = max(S_k, sal(I_k))`. Erased pixels stay erased.

    Args:
        photos: RGB uint8, each (H, W, 3); their sizes may differ.
        detect: any class-agnostic detector, from a list of photos to float maps (H, W) in [0, 1]. All photos go
            through it together, once per step.
        thresholds: one per erasing; none means one pass.
        mean_colour: the data set's mean colour, uint8, shape (3,).

    Raises:
        ValueError: a threshold outside [0, 1], or a detector's map of the wrong shape or range.
    """
    if any(not 0 <= threshold <= 1 for threshold in thresholds):
        raise ValueError(f"thresholds: expected numbers in [0, 1], got {list(thresholds)}")
    seen = list(photos)
    found = _detect(detect, seen)
    steps = [[scores] for scores in found]
    erased: list[list[NDArray[np.bool_]]] = [[] for _ in photos]
    for threshold in thresholds:
        for i, scores in enumerate(found):
            salient = scores > threshold
            seen[i] = erase(seen[i], salient, mean_colour)
            erased[i].append(erased[i][-1] | salient if erased[i] else salient)
        found = _detect(detect, seen)
        for i, scores in enumerate(found):
            steps[i].append(np.maximum(steps[i][-1], scores))
    return [
        HierarchicalSaliency(np.stack(s), np.stack(e) if e else np.zeros((0, *s[0].shape), bool))
        for s, e in zip(steps, erased, strict=True)
    ]


def _detect(detect: Detect, photos: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
    maps = [np.asarray(scores, np.float32) for scores in detect(photos)]
    if len(maps) != len(photos):
        raise ValueError(f"detector: expected {len(photos)} maps, got {len(maps)}")
    for photo, scores in zip(photos, maps, strict=True):
        if scores.shape != photo.shape[:2]:
            raise ValueError(f"detector: expected a map {photo.shape[:2]}, got {scores.shape}")
        if not (scores.min() >= 0 and scores.max() <= 1):
            raise ValueError(f"detector: expected scores in [0, 1], got {scores.min():g} to {scores.max():g}")
    return maps
