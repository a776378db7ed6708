"""Online EM: the E-step is taken anew inside every training step, from the scores of that moment and the tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from wsss_core.em.adaptive_prior import adaptive_prior
from wsss_core.losses.neighbourhood import NeighbourhoodKL


@dataclass(frozen=True, kw_only=True)
class AdaptivePriorEM:
    """Cross-entropy to the posterior under the adaptive prior, plus λ times the neighbourhood KL.

    Pandey & Dukkipati 2017, §3.3 and 3.4, eq. 4 to 12, on the network's own grid; padding has no part in either term.

    Attributes:
        background: share of the pixels that background must have.
        foreground: share of every class that the image has.
        neighbourhood_weight: λ in [0, 1]; 0 leaves the term out.
        neighbourhood: which neighbourhood, and its kernels.

    Raises:
        ValueError: a share or λ outside [0, 1].
    """

    background: float = 0.4
    foreground: float = 0.2
    neighbourhood_weight: float = 0.3
    neighbourhood: NeighbourhoodKL = field(default_factory=NeighbourhoodKL)

    def __post_init__(self) -> None:
        for name in ("background", "foreground", "neighbourhood_weight"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")

    def __call__(self, output: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Terms to minimise, and what the E-step did.

        Args:
            output: logits, float (B, C, h, w), nodes on the photo's corners.
            batch: `image` (B, 3, S, S) in 0..255, `tags` (B, C − 1), `valid` bool (B, S, S).

        Returns:
            `cross_entropy` ≥ 0 and, unless λ is 0, `neighbourhood` ≥ 0; without a gradient `background`, the share of
            the background in the posterior, `violation` of the shares, mean over images, and `scaled`, the part of
            the images with more labels than the shares allow.
        """
        valid = on_grid(batch["valid"], output)
        present = torch.cat([torch.ones_like(batch["tags"][:, :1]), batch["tags"]], dim=1) > 0
        prior = adaptive_prior(output, present, background=self.background, foreground=self.foreground, valid=valid)
        nodes = valid.sum().clamp(min=1)
        entropy = -(prior.posterior * output.log_softmax(1)).sum(1)
        terms = {"cross_entropy": torch.where(valid, entropy, 0.0).sum() / nodes}
        if self.neighbourhood_weight:
            terms["neighbourhood"] = self.neighbourhood_weight * self.neighbourhood(output, batch["image"], valid)
        return terms | {
            "background": torch.where(valid, prior.posterior[:, 0], 0.0).sum() / nodes,
            "violation": prior.violation.mean(),
            "scaled": prior.scaled.float().mean(),
        }


def on_grid(valid: Tensor, scores: Tensor) -> Tensor:
    """Which nodes of the grid of scores (B, C, h, w) lie on valid pixels (B, S, S): bool (B, h, w)."""
    rows, columns = (
        (torch.arange(nodes, device=valid.device) * (pixels - 1)) // max(nodes - 1, 1)
        for nodes, pixels in zip(scores.shape[2:], valid.shape[1:], strict=True)
    )
    return valid[:, rows[:, None], columns]
