"""What the region confidence network learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import cross_entropy

from wsss_core.affinity.regions import IGNORE, pure_regions


@dataclass(frozen=True, kw_only=True)
class RegionLoss:
    """Cross-entropy over the superpixels that are almost of one label (Wang et al. 2019, §3.2.3).

    Attributes:
        purity: share of a superpixel's pixels in [0, 1) that one label must exceed.
    """

    purity: float = 0.8

    def __post_init__(self) -> None:
        if not 0 <= self.purity < 1:
            raise ValueError(f"purity must lie in [0, 1), got {self.purity}")

    def __call__(self, output: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`cross_entropy`, a mean over these superpixels, 0 where the batch has none; and their number.

        Args:
            output: logits of the regions, float (B, R, C).
            batch: `labels`, int64 (B, S, S), 255 = ignore, and `superpixels`, int64 (B, S, S) in 0..R − 1 or −1.
        """
        n_regions, n_labels = output.shape[1:]
        labels = pure_regions(batch["labels"], batch["superpixels"], n_regions, n_labels, purity=self.purity).flatten()
        samples = (labels != IGNORE).sum()
        total = cross_entropy(output.flatten(0, 1), labels, ignore_index=IGNORE, reduction="sum")
        return {"cross_entropy": total / samples.clamp(min=1), "samples": samples.float()}
