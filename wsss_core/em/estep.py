"""The E-steps that a training step can take, behind one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from wsss_core.em.adapt import em_adapt
from wsss_core.em.adaptive_prior import adaptive_prior
from wsss_core.em.fixed import box_em_fixed, em_fixed
from wsss_core.losses.soft_targets import one_hot


@dataclass(frozen=True)
class Expectation:
    """What an E-step gives for a batch; constant for the gradient.

    Attributes:
        target: float (B, C, H, W), sums to 1 over the classes; 0 or 1 after a hard E-step.
        violation: how much of the shares asked for is missing, summed over the labels, (B,); 0 where there are none.
        scaled: bool (B,), where the shares asked for sum to more than 1 and were divided by their sum.
    """

    target: Tensor
    violation: Tensor
    scaled: Tensor


@dataclass(frozen=True, kw_only=True)
class EStep:
    """Which E-step, and its numbers; a kind reads only those that it names.

    Attributes:
        kind: `adaptive_prior` (Pandey & Dukkipati 2017): posterior under the least prior that gives the shares.
            `em_adapt` (Papandreou et al. 2015): the label that wins after boosts that give the shares.
            `em_fixed`: after constant boosts. `box_em_fixed`: the foreground's boost inside boxes only.
        background, foreground: shares in [0, 1] of `adaptive_prior` and `em_adapt`.
        rounds: of `em_adapt`.
        background_boost, foreground_boost: b_bg and b_fg of `em_fixed` and `box_em_fixed`.

    Raises:
        ValueError: a share outside [0, 1], or no round.
    """

    kind: Literal["adaptive_prior", "em_adapt", "em_fixed", "box_em_fixed"] = "adaptive_prior"
    background: float = 0.4
    foreground: float = 0.2
    rounds: int = 5
    background_boost: float = 3.0
    foreground_boost: float = 5.0

    def __post_init__(self) -> None:
        for name in ("background", "foreground"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        if self.rounds < 1:
            raise ValueError(f"rounds must be at least 1, got {self.rounds}")

    @property
    def needs_boxes(self) -> bool:
        return self.kind == "box_em_fixed"

    def __call__(
        self,
        scores: Tensor,
        present: Tensor,
        *,
        valid: Tensor,
        boxes: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Expectation:
        """The supervision for scores (B, C, H, W) of images with the labels `present`, bool (B, C).

        Args:
            scores: logits without a gradient; channel 0 is background.
            present: background counts as present whatever entry 0 says.
            valid: bool (B, H, W), False on padding, which has no part in shares.
            boxes: bool (B, C, H, W), for `box_em_fixed`.
            generator: of the order in which `em_adapt` visits the labels, on the CPU; torch's own if None.
        """
        shares: dict[str, Any] = {"background": self.background, "foreground": self.foreground, "valid": valid}
        boosts = {"background": self.background_boost, "foreground": self.foreground_boost}
        if self.kind == "adaptive_prior":
            prior = adaptive_prior(scores, present, **shares)
            return Expectation(prior.posterior, prior.violation, prior.scaled)
        if self.kind == "em_adapt":
            adapted = em_adapt(scores, present, **shares, rounds=self.rounds, generator=generator)
            return Expectation(_planes(adapted.labels, scores), adapted.shortfall, adapted.scaled)
        if self.kind == "em_fixed":
            labels = em_fixed(scores, present, **boosts)
        elif boxes is None:
            raise ValueError("box_em_fixed: expected boxes, got none")
        else:
            labels = box_em_fixed(scores, present, boxes, **boosts)
        nothing = torch.zeros(len(scores), device=scores.device)
        return Expectation(_planes(labels, scores), nothing, nothing.bool())


def equal_parts(scores: Tensor, present: Tensor, boxes: Tensor | None = None) -> Expectation:
    """Every pixel of (B, C, H, W) given each present label, bool (B, C), in equal parts, whatever the scores.

    With `boxes`, bool (B, C, H, W), a pixel is given the classes in whose boxes it lies, background where it lies in
    none: what `box_em_fixed` makes of a network without an opinion.
    """
    possible = present[..., None, None].expand_as(scores)
    if boxes is not None:
        possible = possible & boxes
        possible[:, 0] = ~possible[:, 1:].any(1)
    nothing = torch.zeros(len(scores), device=scores.device)
    return Expectation(possible.to(scores.dtype) / possible.sum(1, keepdim=True), nothing, nothing.bool())


def _planes(labels: Tensor, like: Tensor) -> Tensor:
    """Labels (B, H, W) of an E-step as planes (B, C, H, W) of 0 and 1."""
    return one_hot(labels, torch.ones_like(labels, dtype=torch.bool), like.shape[1]).to(like.dtype)
