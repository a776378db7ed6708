"""Counting which label the pixels of each true class were given."""

from __future__ import annotations

import numpy as np

IGNORE = 255


def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Pixel counts of one image, true class by predicted label; matrices of several images are added.

    Only the truth's 255 is left out. An unlabelled predicted pixel (255) is a miss of its true class and is counted in
    a column of its own.

    Args:
        truth: class ids, integers, shape (H, W); 255 = ignore.
        predicted: class ids, integers, same shape; 255 = unlabelled.
        n_classes: number of classes with background, 1..255.

    Returns:
        int64, shape (n_classes, n_classes + 1); rows are true classes, the last column is unlabelled.

    Raises:
        ValueError: shapes differ or a class id is out of range.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"truth has shape {truth.shape}, predicted has {predicted.shape}")
    if not 1 <= n_classes <= IGNORE:
        raise ValueError(f"n_classes must be in 1..{IGNORE}, got {n_classes}")
    pairs = (as_bytes(truth, "truth").astype(np.uint16) << 8) | as_bytes(predicted, "predicted")
    counts = np.bincount(pairs.ravel(), minlength=1 << 16).reshape(256, 256)
    # Counting all 256 × 256 pairs shows a stray id without another pass over the pixels.
    _refuse_strays(counts.sum(1), n_classes, "truth")
    _refuse_strays(counts.sum(0), n_classes, "predicted")
    return np.concatenate([counts[:n_classes, :n_classes], counts[:n_classes, IGNORE:]], axis=1)


def as_bytes(labels: np.ndarray, name: str) -> np.ndarray:
    """A label map as uint8.

    Raises:
        ValueError: not integers, or values outside 0..255, which would be taken for other classes.
    """
    if labels.dtype == np.uint8:
        return labels
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{name}: expected integer class ids, got {labels.dtype}")
    if labels.size and not 0 <= labels.min() <= labels.max() <= IGNORE:
        raise ValueError(f"{name}: expected class ids in 0..{IGNORE}, got {labels.min()} to {labels.max()}")
    return labels.astype(np.uint8)


def _refuse_strays(pixels_of_id: np.ndarray, n_classes: int, name: str) -> None:
    strays = np.flatnonzero(pixels_of_id[n_classes:IGNORE]) + n_classes
    if strays.size:
        raise ValueError(f"{name}: expected class ids in 0..{n_classes - 1} or {IGNORE}, got {strays.tolist()}")
