"""What the spatial propagation network learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import cross_entropy

from wsss_core.affinity.regions import region_means
from wsss_core.losses.soft_targets import IGNORE, labelled_pixels
from wsss_core.losses.upsample import on_grid, upsample


@dataclass(frozen=True, kw_only=True)
class AffinityLoss:
    """Log-likelihood of the labels after propagation, and region smoothness (Wang et al. 2019, eqs. 7 and 8).

    Between the nodes of the network's grid, enlarged log-probabilities are those of no distribution: a softmax over the
    labels makes them one, here as where labels are predicted.

    Attributes:
        smoothness: weight ≥ 0 of the region smoothness, which the paper does not give; 0 leaves the term out.
    """

    smoothness: float = 1.0

    def __post_init__(self) -> None:
        if self.smoothness < 0:
            raise ValueError(f"smoothness must not be negative, got {self.smoothness}")

    def __call__(self, output: tuple[Tensor, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`log_likelihood`, negative and a mean over labelled pixels; `smoothness` unless its weight is 0.

        Args:
            output: log-probabilities, float (B, C, h, w), and the affinity maps, float (B, 4, 3, G, h, w).
            batch: `labels`, int64 (B, S, S), 255 = ignore, `valid`, bool (B, S, S), and for the smoothness
                `superpixels`, int64 (B, S, S), −1 for none.
        """
        log_probabilities, affinities = output
        labels = batch["labels"].masked_fill(~labelled_pixels(batch["labels"], batch["valid"]), IGNORE)
        full = upsample(log_probabilities, (labels.shape[1], labels.shape[2]))
        total = cross_entropy(full, labels, ignore_index=IGNORE, reduction="sum")
        terms = {"log_likelihood": total / (labels != IGNORE).sum().clamp(min=1)}
        if self.smoothness:
            terms["smoothness"] = self.smoothness * region_smoothness(affinities.flatten(1, 3), batch["superpixels"])
        return terms


def region_smoothness(affinities: Tensor, superpixels: Tensor) -> Tensor:
    """Mean squared distance of affinity maps from their mean in each superpixel (Wang et al. 2019, eq. 8), ().

    Args:
        affinities: float (B, D, h, w), nodes on the photo's corners.
        superpixels: int64 (B, S, S) of the photo, −1 for none; a node takes the number of the pixel it lies on.

    Raises:
        ValueError: no whole number of pixels lies between two nodes.
    """
    regions = on_grid(superpixels, affinities)
    inside = (regions >= 0).unsqueeze(1)
    squares = (affinities - region_means(affinities, regions)).square() * inside
    return squares.sum() / (inside.sum() * affinities.shape[1]).clamp(min=1)
