"""The class-agnostic detector's loss: salient or not, pixel by pixel and object by object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from wsss_core.losses.iou_gain import iou_gain
from wsss_core.losses.soft_targets import labelled_pixels
from wsss_core.losses.upsample import upsample


@dataclass(frozen=True, kw_only=True)
class SaliencyLoss:
    """Binary cross-entropy, mean over labelled pixels, minus the soft IoU of the salient area, mean over images.

    Attributes:
        iou_gain: weight ≥ 0 of the IoU, in which a thin object counts as much as a large one; 0 leaves the term out.

    Raises:
        ValueError: a negative weight.
    """

    iou_gain: float = 1.0

    def __post_init__(self) -> None:
        if self.iou_gain < 0:
            raise ValueError(f"iou_gain must not be negative, got {self.iou_gain}")

    def __call__(self, output: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Named terms whose sum is minimised.

        Args:
            output: logits, float (B, 1, h, w), on any grid.
            batch: `labels`, int64 (B, S, S), 1 = salient, 0 = not, 255 = ignore; `valid`, bool (B, S, S).

        Returns:
            `cross_entropy` ≥ 0 and, unless its weight is 0, `iou` in [-weight, 0].

        Raises:
            ValueError: other labels, more than one channel, or shapes that differ.
        """
        labels, valid = batch["labels"], batch["valid"]
        labelled = labelled_pixels(labels, valid)
        truth = labels[labelled]
        if output.ndim != 4 or output.shape[1] != 1:
            raise ValueError(f"expected logits of shape (B, 1, h, w), got {tuple(output.shape)}")
        if ((truth != 0) & (truth != 1)).any():
            raise ValueError(f"expected labels 0, 1 or 255, got {truth.unique().tolist()}")
        height, width = valid.shape[1:]
        logits = upsample(output, (height, width))
        total = binary_cross_entropy_with_logits(logits[:, 0][labelled], truth.to(logits.dtype), reduction="sum")
        entropy = total / labelled.sum().clamp(min=1)
        if self.iou_gain == 0:
            return {"cross_entropy": entropy}
        salient = ((labels == 1) & labelled).unsqueeze(1)  # (B, 1, S, S)
        return {"cross_entropy": entropy, "iou": -self.iou_gain * iou_gain(salient, logits.sigmoid(), labelled)}
