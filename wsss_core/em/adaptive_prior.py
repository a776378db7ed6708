"""The adaptive prior: as little preference among the present labels as gives each its share of the pixels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wsss_core.em.prior_search import least_informative, mean_over, two_labels


@dataclass(frozen=True)
class AdaptivePrior:
    """What the E-step of Pandey & Dukkipati (2017) gives for a batch; all of it constant for the gradient.

    Attributes:
        posterior: q (B, C, H, W), sums to 1 over the labels, 0 for absent ones.
        log_prior: log β (B, C), −∞ for absent labels.
        violation: Σ_l (c_l − mean q(l))_+ of each image, the mean over its valid pixels, (B,); 0 where shares are met.
        scaled: bool (B,), where the shares asked for sum to more than 1 and were divided by their sum.
    """

    posterior: Tensor
    log_prior: Tensor
    violation: Tensor
    scaled: Tensor


@torch.no_grad()
def adaptive_prior(
    logits: Tensor,
    present: Tensor,
    *,
    background: float = 0.4,
    foreground: float = 0.2,
    valid: Tensor | None = None,
) -> AdaptivePrior:
    """Posterior q ∝ p·β with the prior β of highest entropy under which every label has its share (eq. 5 to 7).

    One foreground label is solved by bisection; several by a search over the shares, each of which belongs to exactly
    one prior. Where no prior meets the shares numerically, the least violation found is returned (eq. 22).

    Args:
        logits: finite scores, float (B, C, H, W); channel 0 is background.
        present: which labels an image has, bool (B, C); background counts as present whatever entry 0 says.
        background: share c_0 of the pixels in [0, 1] that background must have on average.
        foreground: share of every present class.
        valid: bool (B, H, W), False on padding, which has no part in the shares; None for all pixels. An image
            without a valid pixel gets shares of all its pixels.

    Raises:
        ValueError: shapes that do not fit, scores that are not finite, shares outside [0, 1].
    """
    valid = torch.ones_like(logits[:, 0], dtype=torch.bool) if valid is None else valid
    _check(logits, present, valid, background, foreground)
    present = present.clone()
    present[:, 0] = True
    counts = present.sum(1)
    scores = logits.double().flatten(2).transpose(1, 2)  # (B, P, C)
    inside = valid.flatten(1)
    weights = (inside | ~inside.any(1, keepdim=True)).double()  # (B, P)
    weights = weights / weights.sum(1, keepdim=True)
    log_prior = scores.new_full(present.shape, -torch.inf)
    violation = scores.new_zeros(len(scores))
    for n in counts.unique().tolist():
        rows = (counts == n).nonzero().squeeze(1)
        chosen = scores[rows].transpose(1, 2)[present[rows]].reshape(len(rows), n, -1).transpose(1, 2)  # (R, P, n)
        shares = scores.new_tensor([background] + [foreground] * (n - 1))
        shares = shares / shares.sum().clamp(min=1.0)
        pixels = chosen, weights[rows]
        found = two_labels(*pixels, shares) if n == 2 else least_informative(*pixels, shares)[None]
        violation[rows], best = _least_violating(*pixels, shares, found)
        log_prior[rows[:, None].expand(-1, n), present[rows].nonzero()[:, 1].reshape(len(rows), n)] = best
    posterior = (scores + log_prior[:, None]).softmax(2).transpose(1, 2).reshape(logits.shape).to(logits.dtype)
    scaled = background + foreground * (counts - 1) > 1 + 1e-9
    return AdaptivePrior(posterior, log_prior.to(logits.dtype), violation.to(logits.dtype), scaled)


def _least_violating(scores: Tensor, weights: Tensor, shares: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
    """Violation (R,) and log-prior (R, n): the first of found (K, R, n) or no preference with the least violation."""
    candidates = torch.cat([found, torch.zeros_like(found[:1])]).log_softmax(2)
    posteriors = ((scores + prior[:, None]).softmax(2) for prior in candidates)
    reached = torch.stack([mean_over(weights, posterior) for posterior in posteriors])  # (K + 1, R, n)
    violations = (shares - reached).clamp(min=0).sum(2)
    # The solvers stop within 1e-9 of a share; that is no violation.
    violations = violations.where(violations > 1e-6, 0.0)
    choice = violations.argmin(0)
    images = torch.arange(len(scores), device=scores.device)
    return violations[choice, images], candidates[choice, images]


def _check(logits: Tensor, present: Tensor, valid: Tensor, background: float, foreground: float) -> None:
    if logits.ndim != 4 or present.shape != logits.shape[:2] or present.dtype != torch.bool:
        shapes = f"logits {tuple(logits.shape)}, present {present.dtype} {tuple(present.shape)}"
        raise ValueError(f"expected logits (B, C, H, W) and bool present (B, C), got {shapes}")
    if valid.shape != logits[:, 0].shape or valid.dtype != torch.bool:
        raise ValueError(f"expected bool valid {tuple(logits[:, 0].shape)}, got {valid.dtype} {tuple(valid.shape)}")
    if not torch.isfinite(logits).all():
        raise ValueError("expected finite logits, got inf or nan: the training of this network diverged")
    if not (0 <= background <= 1 and 0 <= foreground <= 1):
        raise ValueError(f"expected shares in [0, 1], got background {background}, foreground {foreground}")
