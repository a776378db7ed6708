"""The mIoU of attention maps at every background threshold, in one pass over the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from wsss_core.evaluation.confusion import IGNORE, as_bytes


def strength_counts(
    truth: np.ndarray, attention: np.ndarray, class_ids: Sequence[int], thresholds: Sequence[float], n_classes: int
) -> np.ndarray:
    """Pixel counts of one image by how many thresholds the strongest class reaches; images are added.

    Args:
        truth: class ids, integers, shape (H, W); 255 = ignore.
        attention: uint8, shape (K, H, W), value = stored / 255; K = 0 for an image without tags.
        class_ids: the K classes of the planes, without background.
        thresholds: T background thresholds, ascending.
        n_classes: number of classes with background, at most 255.

    Returns:
        int64, shape (T + 1, n_classes, n_classes): [thresholds reached, true class, class of the highest attention]. Of
        equal attentions the first plane's class is taken.

    Raises:
        ValueError: shapes, dtype, thresholds or class ids that do not fit.
    """
    _check(truth, attention, class_ids, thresholds, n_classes)
    scored = truth != IGNORE
    true_class = as_bytes(truth, "truth")[scored].astype(np.intp)
    if true_class.size and true_class.max() >= n_classes:
        raise ValueError(f"truth: expected class ids in 0..{n_classes - 1} or {IGNORE}, got {true_class.max()}")
    shape = (len(thresholds) + 1, n_classes, n_classes)
    if not len(class_ids):  # background at every threshold
        reached = winner = np.zeros_like(true_class)
    else:
        planes = attention[:, scored]  # (K, N)
        reached = np.searchsorted(thresholds, np.arange(256) / 255, side="right")[planes.max(0)]
        winner = np.asarray(class_ids)[planes.argmax(0)]
    cells = np.ravel_multi_index((reached, true_class, winner), shape)
    return np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape)


def threshold_matrices(counts: np.ndarray) -> np.ndarray:
    """The confusion matrix at each threshold: the strongest class where its attention ≥ t, else background.

    Args:
        counts: sum of `strength_counts` over the images, shape (T + 1, n, n).

    Returns:
        int64, shape (T, n, n + 1): one matrix per threshold for `Scores`; its last column, unlabelled, is empty.

    Raises:
        ValueError: not of that shape.
    """
    if counts.ndim != 3 or counts.shape[1] != counts.shape[2]:
        raise ValueError(f"expected counts of shape (T + 1, n, n), got {counts.shape}")
    below = counts.cumsum(0)[:-1]  # (T, n, n): pixels whose strongest class stays below each threshold
    matrices = np.zeros((len(below), counts.shape[1], counts.shape[1] + 1), np.int64)
    matrices[:, :, :-1] = counts.sum(0) - below
    matrices[:, :, 0] += below.sum(2)
    return matrices


def _check(
    truth: np.ndarray, attention: np.ndarray, class_ids: Sequence[int], thresholds: Sequence[float], n_classes: int
) -> None:
    if attention.dtype != np.uint8 or attention.shape != (len(class_ids), *truth.shape):
        expected = f"uint8 of shape {(len(class_ids), *truth.shape)}"
        raise ValueError(f"attention: expected {expected}, got {attention.dtype} of shape {attention.shape}")
    if not all(1 <= class_id < n_classes for class_id in class_ids):
        raise ValueError(f"expected class ids in 1..{n_classes - 1}, got {list(class_ids)}")
    if not len(thresholds) or not all(low < high for low, high in pairwise(thresholds)):
        raise ValueError(f"expected thresholds in ascending order, got {list(thresholds)}")
