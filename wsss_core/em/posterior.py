"""Supervision from scores when it is known which classes an image has."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Absent = Literal["drop", "share"]


def class_restricted_posterior(logits: Tensor, present: Tensor, *, absent: Absent = "drop") -> Tensor:
    """Probabilities of background and the present classes only (Hou et al. 2016, eq. 5).

    The paper drops the probability of absent classes. Then a pixel of which a young network knows that it is an animal,
    but not which one, becomes background, for its foreground is split over all animals. With `share`, no paper's, the
    present classes take over that probability and background stays as the network has it: for networks trained on
    precise cues (docs/results.md).

    Args:
        logits: finite scores, float (C, H, W) or (B, C, H, W); channel 0 is background.
        present: which labels the image has, bool (C,) or (B, C); background counts as present whatever entry 0 says.
        absent: `drop` or `share`, what becomes of the probability of absent classes.

    Returns:
        Probabilities of the logits' shape and dtype, summing to 1 over the labels; exactly 0 for absent classes; all
        background where no class is present.

    Raises:
        ValueError: the shapes do not fit, `present` is not bool, or a score is not finite.
    """
    own = _restricted(logits, present)
    if absent == "drop":
        return own.softmax(-3)
    background = logits.softmax(-3)[..., :1, :, :]
    some = present[..., 1:].any(-1)[..., None, None, None]
    classes = torch.where(some, (1 - background) * own[..., 1:, :, :].softmax(-3), 0.0)
    return torch.cat([torch.where(some, background, 1.0), classes], dim=-3)


def mixed_with_labels(posterior: Tensor, labels: Tensor, *, weight: float) -> Tensor:
    """(1 − weight)·posterior + weight·labels, the posterior alone where there is no label.

    The network overrules a label where it beats it by weight / (1 − weight). No paper's: what mined cues and a network
    trained on them get wrong differs (docs/results.md).

    Args:
        posterior: float (K, H, W), summing to 1 over K.
        labels: int64 (H, W) in 0..K−1, or 255 for none.
        weight: in [0, 0.5); from 0.5 on no pixel of a label would ever change.

    Returns:
        Probabilities of the posterior's shape and dtype, summing to 1 over K.

    Raises:
        ValueError: the shapes do not fit, a label is out of range, or so is the weight.
    """
    if not 0 <= weight < 0.5:
        raise ValueError(f"expected a weight in [0, 0.5), got {weight}")
    if posterior.shape[1:] != labels.shape:
        raise ValueError(f"posterior has shape {tuple(posterior.shape)}, labels {tuple(labels.shape)}")
    known = labels != 255
    if bool((known & ((labels < 0) | (labels >= len(posterior)))).any()):
        raise ValueError(f"expected labels in 0..{len(posterior) - 1} or 255")
    leaning = weight * known
    one_hot = torch.arange(len(posterior), device=labels.device)[:, None, None] == labels
    return (1 - leaning) * posterior + leaning * one_hot


def restricted_argmax(logits: Tensor, present: Tensor) -> Tensor:
    """The label with the highest score among background and the present classes.

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
