"""An image's posterior over its own labels: the E-step that is stored, with what no paper had as switches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wsss_core.crf import DenseCRF
from wsss_core.em.estep import EStep
from wsss_core.em.posterior import Absent, class_restricted_posterior, mixed_with_labels


@dataclass(frozen=True, kw_only=True)
class LabelPosterior:
    """What each pixel is, among the image's own labels.

    Attributes:
        shares: instead of the posterior an E-step in which every label gets its part of the pixels: `em_adapt`
            (Papandreou et al. 2015) or `adaptive_prior` (Pandey & Dukkipati 2017), as in `train_em`.
        absent: what becomes of the probability of classes that the image lacks: `drop` leaves it out (Hou et al. 2016),
            `share` gives it to those that it has.
        cue_weight: share in [0, 0.5) of the chain's own cues in the probabilities; where they say nothing, and at 0 as
            in the papers, the network speaks alone.
        crf: what the photo's colours make of the probabilities; the papers have it at test time only.

    Raises:
        ValueError: a `cue_weight` out of range, an E-step that asks for no shares, or `absent` beside one that does.
    """

    shares: EStep | None = None
    absent: Absent = "drop"
    cue_weight: float = 0.0
    crf: DenseCRF | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.cue_weight < 0.5:
            raise ValueError(f"cue_weight must lie in [0, 0.5), got {self.cue_weight}")
        if self.shares is not None and self.shares.kind not in ("em_adapt", "adaptive_prior"):
            raise ValueError(f"shares: expected em_adapt or adaptive_prior, which ask for some, got {self.shares.kind}")
        if self.shares is not None and self.absent != "drop":
            raise ValueError("absent: with shares absent classes have none of the pixels; leave it out")

    def __call__(
        self,
        logits: Tensor,
        labels: NDArray[np.uint8],
        photo: NDArray[np.uint8],
        cue: NDArray[np.uint8] | None = None,
        *,
        seed: int = 0,
    ) -> tuple[NDArray[np.float32], dict[str, float]]:
        """Probabilities, float32 (K, H, W), that sum to 1 over K, and with `shares` what is missing of them.

        Args:
            logits: of all labels, float (C, H, W), on any device.
            labels: the image's K, background first.
            photo: RGB uint8 (H, W, 3).
            cue: mined labels, uint8 (H, W), 255 for none, if there are any.
            seed: of the order in which `em_adapt` visits the labels; an image's own, so that no other one matters.
        """
        own = torch.as_tensor(labels.astype(np.int64), device=logits.device)
        present = torch.zeros(len(logits), dtype=torch.bool, device=logits.device)
        present[own] = True
        figures: dict[str, float] = {}
        if self.shares is None:
            posterior = class_restricted_posterior(logits, present, absent=self.absent)[own]
        else:
            inside = torch.ones_like(logits[:1], dtype=torch.bool)
            order = torch.Generator().manual_seed(seed)
            step = self.shares(logits[None], present[None], valid=inside, generator=order)
            posterior = step.target[0, own]
            figures = {"violation": step.violation.item(), "scaled": float(step.scaled)}
        if cue is not None:
            place = np.full(256, 255)
            place[labels] = np.arange(len(labels))
            mined = torch.as_tensor(place[cue], device=logits.device)
            posterior = mixed_with_labels(posterior, mined, weight=self.cue_weight)
        if self.crf is not None and len(labels) > 1:
            posterior = torch.as_tensor(self.crf(photo, posterior))
        return posterior.cpu().numpy(), figures
