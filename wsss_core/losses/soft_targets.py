"""The target distribution of every pixel, from a label map or from a posterior."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

IGNORE = 255


def soft_targets(batch: Mapping[str, Tensor], n_labels: int) -> tuple[Tensor, Tensor]:
    """Target probabilities and the pixels that have one.

    Args:
        batch: `valid`, bool (B, S, S), False on padding; and either `labels`, int64 (B, S, S), 255 = ignore, or
            `posterior`, float (B, C, S, S), whose rows sum to 1 or are all zero where a pixel has no target.
        n_labels: C, background included.

    Returns:
        The target q, float (B, C, S, S) in [0, 1], and labelled, bool (B, S, S). With labels q is one-hot, and zero
        where not labelled; a posterior is handed on as it is, without a copy.

    Raises:
        ValueError: neither or both kinds of target, another number of labels, or a label out of range.
    """
    if ("labels" in batch) == ("posterior" in batch):
        raise ValueError(f"expected a batch with either labels or posterior, got the keys {sorted(batch)}")
    if "labels" in batch:
        labelled = labelled_pixels(batch["labels"], batch["valid"])
        return one_hot(batch["labels"], labelled, n_labels), labelled
    posterior = batch["posterior"]
    if posterior.ndim != 4 or posterior.shape[1] != n_labels:
        raise ValueError(f"expected a posterior of shape (B, {n_labels}, S, S), got {tuple(posterior.shape)}")
    return posterior, batch["valid"] & (posterior.sum(1) > 0)


def labelled_pixels(labels: Tensor, valid: Tensor) -> Tensor:
    """Bool (B, S, S): inside the photo and not 255."""
    if labels.shape != valid.shape:
        raise ValueError(f"labels have shape {tuple(labels.shape)}, valid has {tuple(valid.shape)}")
    return valid & (labels != IGNORE)


def one_hot(labels: Tensor, labelled: Tensor, n_labels: int) -> Tensor:
    """Labels, int64 (B, H, W), as planes of 0 and 1, float32 (B, n_labels, H, W); all 0 where not `labelled`.

    Raises:
        ValueError: a label out of range where `labelled`, bool (B, H, W).
    """
    index = torch.where(labelled, labels, 0).unsqueeze(1)  # (B, 1, S, S)
    if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < n_labels:
        low, high = int(index.min()), int(index.max())
        raise ValueError(f"expected labels in 0..{n_labels - 1} or {IGNORE}, got labels from {low} to {high}")
    b, _, height, width = index.shape
    q = torch.zeros(b, n_labels, height, width, device=labels.device)
    return q.scatter_(1, index, labelled.unsqueeze(1).to(q.dtype))
