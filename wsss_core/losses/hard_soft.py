"""Cross-entropy to a mixture of a posterior and its most likely label (Hou et al. 2016, §4.2)."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

Heuristic = Literal["max", "relative"]
ConfidenceOf = Literal["posterior", "likelihood"]


def check_confidence(heuristic: str, eta: float, confidence_of: str = "posterior") -> None:
    """Raise a ValueError unless the three settings have a meaning."""
    if heuristic not in get_args(Heuristic):
        raise ValueError(f"heuristic must be one of {get_args(Heuristic)}, got {heuristic!r}")
    if confidence_of not in get_args(ConfidenceOf):
        raise ValueError(f"confidence_of must be one of {get_args(ConfidenceOf)}, got {confidence_of!r}")
    if not 0 <= eta <= 1:
        raise ValueError(f"eta must be in [0, 1], got {eta}")


def confidence_weight(probabilities: Tensor, *, heuristic: Heuristic, eta: float) -> Tensor:
    """Weight ε of the hard target in each pixel (eq. 7 and 8).

    The confidence is the highest probability p1 (max) or (p1 − p2) / p1 (relative). From η on the target is hard,
    ε = 1; below it ε is the confidence itself.

    Args:
        probabilities: in [0, 1], shape (B, C, S, S), at least two labels; rows sum to 1 or are all zero.
        heuristic: "max" or "relative".
        eta: the threshold η in [0, 1]; 0 means always hard.

    Returns:
        ε in [0, 1], shape (B, S, S); a constant for the gradient.

    Raises:
        ValueError: unknown heuristic, η out of range, or not (B, C ≥ 2, S, S).
    """
    check_confidence(heuristic, eta)
    if probabilities.ndim != 4 or probabilities.shape[1] < 2:
        raise ValueError(f"expected probabilities of shape (B, C ≥ 2, S, S), got {tuple(probabilities.shape)}")
    probabilities = probabilities.detach()
    if heuristic == "max":
        confidence = probabilities.amax(1)
    else:
        first, label = probabilities.max(1, keepdim=True)
        second = probabilities.scatter(1, label, -1.0).amax(1)  # half the time of topk along this axis
        first = first.squeeze(1)
        confidence = (first - second) / first.clamp(min=torch.finfo(first.dtype).tiny)  # no 0/0 on empty rows
    return torch.where(confidence >= eta, 1.0, confidence)


def hard_soft_cross_entropy(
    logits: Tensor,
    q: Tensor,
    labelled: Tensor,
    *,
    heuristic: Heuristic,
    eta: float,
    confidence_of: ConfidenceOf = "posterior",
) -> Tensor:
    """`(1 − ε)·CE(q, p) + ε·CE(onehot(argmax q), p)` with p = softmax(logits), mean over labelled pixels (eq. 6).

    Args:
        logits: float, shape (B, C, S, S).
        q: target probabilities, same shape; a constant for the gradient.
        labelled: bool, shape (B, S, S).
        heuristic: what ε is made from, see `confidence_weight`.
        eta: threshold of the heuristic in [0, 1].
        confidence_of: whose probabilities give ε, the target's (as the paper writes) or the network's.

    Returns:
        A scalar ≥ 0; 0 with a gradient of zeros where no pixel is labelled.

    Raises:
        ValueError: a setting out of range, or shapes that differ.
    """
    check_confidence(heuristic, eta, confidence_of)
    if q.shape != logits.shape or labelled.shape != logits[:, 0].shape:
        shapes = f"logits {tuple(logits.shape)}, q {tuple(q.shape)}, labelled {tuple(labelled.shape)}"
        raise ValueError(f"expected (B, C, S, S), the same and (B, S, S), got {shapes}")
    log_p = logits.log_softmax(1)
    # The same label as argmax gives, in a tenth of its time along this axis.
    per_pixel = -log_p.gather(1, q.max(1, keepdim=True).indices).squeeze(1)
    if eta > 0:  # at 0 every ε is 1: the soft term and its copy of the batch are left out
        confident = q if confidence_of == "posterior" else log_p.detach().exp()
        epsilon = confidence_weight(confident, heuristic=heuristic, eta=eta)
        per_pixel = epsilon * per_pixel - (1 - epsilon) * (q * log_p).sum(1)
    return torch.where(labelled, per_pixel, 0.0).sum() / labelled.sum().clamp(min=1)
