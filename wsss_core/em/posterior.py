"""Supervision from scores when it is known which classes an image has."""

from __future__ import annotations

import torch
from torch import Tensor


def class_restricted_posterior(logits: Tensor, present: Tensor) -> Tensor:
    """Softmax over background and the present classes only (Hou et al. 2016, eq. 5).

    Args:
        logits: finite scores, float (C, H, W) or (B, C, H, W); channel 0 is background.
        present: which labels the image has, bool (C,) or (B, C); background counts as present whatever entry 0 says.

    Returns:
        Probabilities of the logits' shape and dtype, summing to 1 over the labels; exactly 0 for absent classes.

    Raises:
        ValueError: the shapes do not fit, `present` is not bool, or a score is not finite.
    """
    return _restricted(logits, present).softmax(-3)


def shared_posterior(logits: Tensor, present: Tensor) -> Tensor:
    """Background as the network has it, the rest shared by the present classes.

    `class_restricted_posterior` drops the probability of absent classes, so a pixel of which a young network knows that
    it is an animal but not which one becomes background: its foreground is split over all animals. Here the present
    classes take over that probability. No paper's; for networks trained on precise cues (docs/results.md).

    Args:
        logits, present: see `class_restricted_posterior`.

    Returns:
        Probabilities of the logits' shape and dtype, summing to 1 over the labels; exactly 0 for absent classes; all
        background where no class is present.

    Raises:
        ValueError: as `class_restricted_posterior`.
    """
    own = _restricted(logits, present)[..., 1:, :, :]
    background = logits.softmax(-3)[..., :1, :, :]
    some = present[..., 1:].any(-1)[..., None, None, None]
    classes = torch.where(some, (1 - background) * own.softmax(-3), 0.0)
    return torch.cat([torch.where(some, background, 1.0), classes], dim=-3)


def restricted_argmax(logits: Tensor, present: Tensor) -> Tensor:
    """The label with the highest score among background and the present classes (Chaudhry et al. 2017, adapted cues).

    Args:
        logits: finite scores, float (C, H, W) or (B, C, H, W); channel 0 is background.
        present: which labels the image has, bool (C,) or (B, C); background counts as present whatever entry 0 says.

    Returns:
        Labels, int64 (H, W) or (B, H, W), in 0..C-1.

    Raises:
        ValueError: the shapes do not fit, `present` is not bool, or a score is not finite.
    """
    return _restricted(logits, present).argmax(-3)


def check_scores(logits: Tensor, present: Tensor) -> None:
    """Raises ValueError unless the scores are finite and `present` is bool and has one entry per channel."""
    if logits.ndim not in (3, 4) or present.shape != logits.shape[:-2]:
        shapes = f"logits {tuple(logits.shape)}, present {tuple(present.shape)}"
        raise ValueError(f"expected logits (C, H, W) and present (C,), or both with a batch axis, got {shapes}")
    if present.dtype != torch.bool:
        raise ValueError(f"expected present of dtype bool, got {present.dtype}")
    if not torch.isfinite(logits).all():
        raise ValueError("expected finite logits, got inf or nan: the training of this network diverged")


def _restricted(logits: Tensor, present: Tensor) -> Tensor:
    """The logits with −∞ for absent classes."""
    check_scores(logits, present)
    absent = ~present
    absent[..., 0] = False
    return logits.masked_fill(absent[..., None, None], -torch.inf)
