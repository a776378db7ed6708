"""The classifier's loss: one independent yes/no question per class."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def multi_label_loss(output: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Binary cross-entropy of every class score with the image's tags, mean over images and classes.

    The class loss of Chaudhry et al. 2017, §4.1, there a sum.

    Args:
        output: class scores before the sigmoid, float (B, c), no background.
        batch: `tags`, multi-hot float (B, c).

    Returns:
        `classes`, a scalar ≥ 0.

    Raises:
        ValueError: the shapes differ.
    """
    tags = batch["tags"]
    if output.shape != tags.shape:
        raise ValueError(f"expected scores of the tags' shape {tuple(tags.shape)}, got {tuple(output.shape)}")
    return {"classes": binary_cross_entropy_with_logits(output, tags.to(output.dtype))}
