"""Segmentation and classification learnt together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from wsss_core.losses.mining import MiningLoss
from wsss_core.losses.multi_label import multi_label_loss


@dataclass(frozen=True)
class JointLoss:
    """ℓ_s + ℓ_c of Chaudhry et al. 2017, §4.3, both as means.

    Attributes:
        segmentation: the loss of the pixels.
    """

    segmentation: MiningLoss

    def __call__(self, output: tuple[Tensor, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Named terms whose sum is minimised: those of `segmentation`, and `classes`.

        Args:
            output: logits per label, float (B, C, h, w), and per class, float (B, C − 1).
            batch: see `MiningLoss` and `multi_label_loss`.
        """
        scores, class_scores = output
        return self.segmentation(scores, batch) | multi_label_loss(class_scores, batch)
