"""Scores as plain numbers for a JSON file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wsss_core.evaluation.scores import Scores


def prediction_summary(scores: Scores, names: Sequence[str], images: int) -> dict[str, Any]:
    """What a segmenter's predictions on a split are worth.

    Args:
        scores: of the matrix summed over the split.
        names: of all classes, background first, in the order of the ids.
        images: how many images were summed.

    Returns:
        `miou`, `per_class` (IoU by name), `absent` (classes left out of the mean), `pixel_accuracy`, `images`. NaN
        becomes None, for JSON has no NaN.

    Raises:
        ValueError: as many names as classes are needed, each once.
    """
    if len(set(names)) != len(scores.matrix) or len(names) != len(scores.matrix):
        raise ValueError(f"expected {len(scores.matrix)} different names, background first, got {list(names)}")
    return {
        "miou": _number(scores.miou),
        "per_class": {name: _number(iou) for name, iou in zip(names, scores.per_class_iou, strict=True)},
        "absent": scores.absent,
        "pixel_accuracy": _number(scores.pixel_accuracy),
        "images": images,
    }


def label_summary(scores: Scores, names: Sequence[str], images: int) -> dict[str, Any]:
    """What a store of partial labels is worth: `prediction_summary` and how many pixels it labels, how rightly.

    Returns:
        Also `precision`, `never_labelled` (classes of the truth left out of it), `recall`, `foreground_recall` (without
        background), `coverage`.

    Raises:
        ValueError: as many names as classes are needed, each once.
    """
    return prediction_summary(scores, names, images) | {
        "precision": _number(scores.precision),
        "never_labelled": scores.never_labelled,
        "recall": _number(scores.recall),
        "foreground_recall": _number(scores.foreground_recall),
        "coverage": _number(scores.coverage),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
