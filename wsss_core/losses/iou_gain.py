"""A differentiable intersection over union (Hou et al. 2016, eq. 9)."""

from __future__ import annotations

from torch import Tensor


def iou_gain(q: Tensor, p: Tensor, labelled: Tensor, *, eps: float = 1e-6) -> Tensor:
    """Mean over labels and images of `J = Σ q·p / (Σ (q + p − q·p) + eps)`, Σ over an image's labelled pixels.

    The sums run over one image, not over the batch: the paper writes n as the pixels of an image I and trains with
    one image per forward pass, and so a small object counts as much as a large one in another image. A label that is
    absent from an image gains 0, with no gradient, whatever p is: a perfect p has J = (labels present) / C.

    Args:
        q: target probabilities in [0, 1], shape (B, C, S, S).
        p: predicted probabilities in [0, 1], same shape.
        labelled: bool, shape (B, S, S).
        eps: keeps labels without any mass at 0.

    Returns:
        A scalar in [0, 1], to be maximised; 0 with a gradient of zeros where no pixel is labelled.

    Raises:
        ValueError: the shapes differ.
    """
    if q.ndim != 4 or q.shape != p.shape or labelled.shape != q[:, 0].shape:
        shapes = f"q {tuple(q.shape)}, p {tuple(p.shape)}, labelled {tuple(labelled.shape)}"
        raise ValueError(f"expected (B, C, S, S), the same and (B, S, S), got {shapes}")
    mask = labelled.unsqueeze(1)
    p = p * mask
    # Products and sums, not the faster einsum: under autocast that adds up in half precision, which ends at 65504.
    both = (q * p).sum((2, 3))  # (B, C)
    either = (q * mask).sum((2, 3)) + p.sum((2, 3)) - both
    return (both / (either + eps)).mean()
