"""EM-Fixed: constant boosts for the labels that an image has, then the label with the highest score."""

from __future__ import annotations

import torch
from torch import Tensor

from wsss_core.em.posterior import check_scores, restricted_argmax


@torch.no_grad()
def em_fixed(logits: Tensor, present: Tensor, *, foreground: float = 5.0, background: float = 3.0) -> Tensor:
    """Hard labels after adding b_fg to the present classes and b_bg to background (Papandreou et al. 2015, §3.2).

    The maximum is over all labels: an absent class wins where its score is higher by more than the boost.

    Args:
        logits: finite scores, float (C, H, W) or (B, C, H, W); channel 0 is background.
        present: which labels an image has, bool (C,) or (B, C); background counts as present whatever entry 0 says.
        foreground, background: b_fg > b_bg > 0 in the paper, in units of the scores.

    Returns:
        Labels, int64 (H, W) or (B, H, W), in 0..C-1.

    Raises:
        ValueError: shapes that do not fit, or scores that are not finite.
    """
    check_scores(logits, present)
    boosts = present.to(logits.dtype) * foreground
    boosts[..., 0] = background
    return (logits + boosts[..., None, None]).argmax(-3)


@torch.no_grad()
def box_em_fixed(
    logits: Tensor, present: Tensor, boxes: Tensor, *, foreground: float = 5.0, background: float = 3.0
) -> Tensor:
    """EM-Fixed whose foreground boost is given inside the boxes of the class only (§3.3, Bbox-EM-Fixed).

    Absent classes never win. Outside its boxes a present class has no boost and wins only by its score.

    Args:
        logits, present, foreground, background: see `em_fixed`.
        boxes: bool of the logits' shape, true inside the boxes of the class; channel 0 is not read.

    Returns:
        Labels, int64 (H, W) or (B, H, W), background or a present class.

    Raises:
        ValueError: shapes that do not fit, boxes that are not bool, or scores that are not finite.
    """
    check_scores(logits, present)
    if boxes.shape != logits.shape or boxes.dtype != torch.bool:
        raise ValueError(f"expected boxes bool {tuple(logits.shape)}, got {boxes.dtype} {tuple(boxes.shape)}")
    boosts = boxes.to(logits.dtype) * foreground
    boosts[..., 0, :, :] = background
    return restricted_argmax(logits + boosts, present)
