"""The M-step on mined pixels or on a posterior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from wsss_core.losses.hard_soft import ConfidenceOf, Heuristic, check_confidence, hard_soft_cross_entropy
from wsss_core.losses.iou_gain import iou_gain
from wsss_core.losses.neighbourhood import NeighbourhoodKL
from wsss_core.losses.soft_targets import soft_targets
from wsss_core.losses.upsample import on_grid, upsample


@dataclass(frozen=True, kw_only=True)
class MiningLoss:
    """Hard/soft cross-entropy minus the IoU gain (Hou et al. 2016, eq. 10), the former as a mean over pixels.

    Attributes:
        heuristic: what decides between the hard and the soft target, "max" or "relative".
        eta: threshold of the heuristic in [0, 1]; 0 is the plain cross-entropy to the most likely label.
        iou_gain: weight ≥ 0 of the IoU gain; 0 leaves the term out.
        confidence_of: whose confidence the heuristic takes, "posterior" or "likelihood".
        neighbourhood_weight: λ in [0, 1] of the CRF neighbourhood (Pandey & Dukkipati 2017); 0 leaves the term out.
        neighbourhood: which neighbourhood, and its kernels.

    Raises:
        ValueError: a setting out of range.
    """

    heuristic: Heuristic = "relative"
    eta: float = 0.0
    iou_gain: float = 1.0
    confidence_of: ConfidenceOf = "posterior"
    neighbourhood_weight: float = 0.0
    neighbourhood: NeighbourhoodKL = field(default_factory=NeighbourhoodKL)

    def __post_init__(self) -> None:
        check_confidence(self.heuristic, self.eta, self.confidence_of)
        if self.iou_gain < 0:
            raise ValueError(f"iou_gain must not be negative, got {self.iou_gain}")
        if not 0 <= self.neighbourhood_weight <= 1:
            raise ValueError(f"neighbourhood_weight must be in [0, 1], got {self.neighbourhood_weight}")

    def __call__(self, output: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Named terms whose sum is minimised.

        Args:
            output: logits, float (B, C, h, w), on any grid.
            batch: `valid` and either `labels` or `posterior`, see `soft_targets`; with λ also `image`.

        Returns:
            `cross_entropy` ≥ 0 and, unless their weights are 0, `iou` in [-weight, 0] and `neighbourhood` ≥ 0.

        Raises:
            ValueError: the batch has no such target, or shapes differ.
        """
        height, width = batch["valid"].shape[1:]
        logits = upsample(output, (height, width))
        q, labelled = soft_targets(batch, logits.shape[1])
        entropy = hard_soft_cross_entropy(
            logits, q, labelled, heuristic=self.heuristic, eta=self.eta, confidence_of=self.confidence_of
        )
        terms = {"cross_entropy": entropy}
        if self.iou_gain:
            terms["iou"] = -self.iou_gain * iou_gain(q, logits.softmax(1), labelled)
        if self.neighbourhood_weight:
            valid = on_grid(batch["valid"], output)
            terms["neighbourhood"] = self.neighbourhood_weight * self.neighbourhood(output, batch["image"], valid)
        return terms
