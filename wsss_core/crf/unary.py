"""Soft unaries from hard masks."""

import numpy as np

_IGNORE = 255


def label_probabilities(labels: np.ndarray, num_labels: int, *, confidence: float = 0.7) -> np.ndarray:
    """Probabilities that trust each label to a degree, for a CRF on hard masks.

    Args:
        labels: integer (H, W) in 0..num_labels − 1, or 255 where nothing is known.
        num_labels: K ≥ 2.
        confidence: probability of the pixel's label, in (1 / K, 1); the other labels share the rest.

    Returns:
        float32 (K, H, W) that sum to 1: 1 / K each where the label is 255.

    Raises:
        ValueError: labels out of range, K < 2 or a confidence out of range.
    """
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise ValueError(f"expected integer labels (H, W), got {labels.dtype} {labels.shape}")
    if num_labels < 2:
        raise ValueError(f"expected at least 2 labels, got {num_labels}")
    if not 1 / num_labels < confidence < 1:
        raise ValueError(f"expected a confidence between 1/{num_labels} and 1, got {confidence}")
    known = labels != _IGNORE
    bad = labels[known & ((labels < 0) | (labels >= num_labels))]
    if bad.size:
        raise ValueError(f"expected labels in 0..{num_labels - 1} or {_IGNORE}, got {bad[0]}")
    is_label = labels == np.arange(num_labels)[:, None, None]  # (K, H, W)
    trusted = np.where(is_label, np.float32(confidence), np.float32((1 - confidence) / (num_labels - 1)))
    return np.where(known, trusted, np.float32(1 / num_labels))
