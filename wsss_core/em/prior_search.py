"""Solvers for the prior of highest entropy under which each label has its share of the pixels.

With b = log β, the shares are the gradient of the convex Φ(b) = Σ_m w_m log Σ_l exp(f_m(l) + b_l), where the weights w
of the pixels sum to 1. So every vector of shares inside the simplex belongs to exactly one prior, found by a convex
problem, and the constraints `share ≥ c` are a small simplex of shares: the search runs there, where every point is
feasible.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

_TINY_SHARE = 1e-6
_STARTS = 3
_SEARCH_PIXELS = 512


def mean_over(weights: Tensor, q: Tensor) -> Tensor:
    """Σ_m w_m q_m: (G, n) for weights (G, P) that sum to 1 and q (G, P, n)."""
    return (weights[:, None] @ q).squeeze(1)


def two_labels(scores: Tensor, weights: Tensor, shares: Tensor) -> Tensor:
    """Log-priors (K, B, 2) for scores (B, P, 2), weights (B, P) and shares (2,), by bisection.

    The first is the one nearest 0 that meets both shares. The others are the ends of the last brackets, for scores so
    large that the share jumps past its bound between two floats.
    """
    odds = scores[..., 1] - scores[..., 0]
    low = (-odds.amax(1) - 40).clamp(max=0)
    high = (-odds.amin(1) + 40).clamp(min=0)
    ends = torch.stack([torch.stack([low, high]), torch.stack([low, high])])  # (bound, end, B)
    for _ in range(70):
        middle = ends.mean(1)  # (bound, B)
        share = ((odds + middle[..., None]).sigmoid() * weights).sum(2)
        above = torch.stack([share[0] >= shares[1], share[1] > 1 - shares[0]])
        ends = torch.stack([torch.where(above, ends[:, 0], middle), torch.where(above, middle, ends[:, 1])], dim=1)
    # The feasible side of each bracket; a share of 0 leaves its side open.
    enough = ends[0, 1] if shares[1] > 0 else low
    too_much = ends[1, 0] if shares[0] > 0 else high
    best = torch.maximum(torch.minimum(torch.zeros_like(low), too_much), enough)
    odds_found = torch.stack([best, *ends.flatten(0, 1)])  # (5, B)
    return torch.stack([torch.zeros_like(odds_found), odds_found], dim=2)


def least_informative(scores: Tensor, weights: Tensor, shares: Tensor) -> Tensor:
    """Log-prior (B, n), up to a constant, for scores (B, P, n), weights (B, P) and shares (n,) of sum ≤ 1.

    No preference, where that is feasible. Otherwise the entropy has no stationary point inside, so the optimum lies on
    the boundary of the simplex of shares: a grid over the boundary, then ascent from its best points.
    """
    count = scores.shape[2]
    prior = scores.new_zeros(len(scores), count)
    short = ((shares - mean_over(weights, scores.softmax(2))) > 1e-9).any(1)
    if not short.any():
        return prior
    scores, weights, slack = scores[short], weights[short], float(1 - shares.sum())
    if slack < _TINY_SHARE:
        prior[short] = prior_of_shares(scores, weights, shares.expand(len(scores), -1))
        return prior
    # The starts are compared on every k-th pixel; the winner's shares are feasible for all pixels, and polished there.
    at = _multi_start(*_every_kth(scores, weights), shares)
    prior[short] = _ascend(scores, weights, shares, at, prior_of_shares(scores, weights, at), step=0.02 * slack)[1]
    return prior


def _every_kth(scores: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """A few hundred of the pixels, all of them in images that would be left without any."""
    step = max(1, scores.shape[1] // _SEARCH_PIXELS)
    some = weights[:, ::step]
    mass = some.sum(1, keepdim=True)
    if (mass == 0).any():
        return scores, weights
    return scores[:, ::step], some / mass


def _multi_start(scores: Tensor, weights: Tensor, shares: Tensor) -> Tensor:
    """The shares (B, n) of the best of several ascents, started from a grid over the boundary."""
    images, points, count = scores.shape
    slack = 1 - shares.sum()
    grid = shares + slack * _boundary_grid(count).to(shares)  # (S, n)

    def per_image(starts: int) -> tuple[Tensor, Tensor]:
        repeated = scores[:, None].expand(-1, starts, -1, -1).reshape(-1, points, count)
        return repeated, weights.repeat_interleave(starts, 0)

    prior = prior_of_shares(*per_image(len(grid)), grid.repeat(images, 1)).reshape(images, len(grid), count)
    best = _entropy(prior).topk(_STARTS, dim=1).indices  # (B, k)
    prior = prior.gather(1, best[..., None].expand(-1, -1, count)).reshape(-1, count)
    at, prior = _ascend(*per_image(_STARTS), shares, grid[best].reshape(-1, count), prior, step=0.1 * slack)
    top = _entropy(prior).reshape(images, _STARTS).argmax(1)
    return at.reshape(images, _STARTS, count)[torch.arange(images, device=at.device), top]


def prior_of_shares(scores: Tensor, weights: Tensor, shares: Tensor, start: Tensor | None = None) -> Tensor:
    """The log-prior (G, n) under which scores (G, P, n), weights (G, P), have exactly the shares (G, n) > 0.

    Newton steps on Φ(b) − shares·b with a ridge as large as the gradient, which bounds each step by about 1. Of a sure
    network Φ is almost piecewise linear: the temperature comes down in halves, each solution starting the next.
    """
    shares = shares.clamp(min=_TINY_SHARE)
    shares = shares / shares.sum(1, keepdim=True)
    prior = torch.zeros_like(shares) if start is None else start
    temperature = 1.0
    if start is None:
        while float((scores.amax((1, 2)) - scores.amin((1, 2))).max()) / temperature > 16:
            temperature *= 2
    while True:
        last = temperature == 1
        cooled = prior / temperature
        for _ in range(100 if last else 20):
            q = (scores / temperature + cooled[:, None]).softmax(2)
            reached = mean_over(weights, q)
            gradient = reached - shares
            size = gradient.abs().amax(1)
            if size.max() < (1e-10 if last else 1e-2):
                break
            curvature = _curvature(q, weights, reached + size[:, None] + 1e-14)
            cooled = cooled - torch.linalg.solve(curvature, gradient)
        prior = cooled * temperature
        if last:
            return prior - prior.mean(1, keepdim=True)
        temperature /= 2


def _curvature(q: Tensor, weights: Tensor, diagonal: Tensor) -> Tensor:
    """diag(d) − Σ_m w_m q_m q_mᵀ (G, n, n), with 1/n added everywhere: shares do not see a constant added to b."""
    return torch.diag_embed(diagonal) - (q * weights[..., None]).transpose(1, 2) @ q + 1 / q.shape[2]


def _ascend(
    scores: Tensor, weights: Tensor, shares: Tensor, at: Tensor, prior: Tensor, *, step: Tensor | float
) -> tuple[Tensor, Tensor]:
    """Raise the entropy by moving share from one label to another, the pair that the gradient names, step by step."""
    rows = torch.arange(len(at), device=at.device)
    step = torch.zeros_like(at[:, 0]) + step
    entropy = _entropy(prior)
    for _ in range(40):
        slope = _entropy_slope(scores, weights, prior)
        gain = slope.argmax(1)
        lose = slope.where(at > shares + 1e-12, torch.inf).argmin(1)
        move = torch.minimum(step, at[rows, lose] - shares[lose])
        there = at.clone()
        there[rows, gain] += move
        there[rows, lose] -= move
        candidate = prior_of_shares(scores, weights, there, prior)
        reached = _entropy(candidate)
        better = (reached > entropy) & (gain != lose)
        at, prior = torch.where(better[:, None], there, at), torch.where(better[:, None], candidate, prior)
        entropy = torch.where(better, reached, entropy)
        step = torch.where(better, 1.5 * step, 0.35 * step)
        if step.max() < 1e-6:
            break
    return at, prior


def _entropy(prior: Tensor) -> Tensor:
    log_beta = prior.log_softmax(-1)
    return -(log_beta.exp() * log_beta).sum(-1)


def _entropy_slope(scores: Tensor, weights: Tensor, prior: Tensor) -> Tensor:
    """Gradient of the entropy with respect to the shares (G, n), up to a constant per row."""
    q = (scores + prior[:, None]).softmax(2)
    curvature = _curvature(q, weights, mean_over(weights, q) + 1e-12)
    log_beta = prior.log_softmax(1)
    beta = log_beta.exp()
    by_prior = -beta * (log_beta - (beta * log_beta).sum(1, keepdim=True))
    return torch.linalg.solve(curvature, by_prior)


def _boundary_grid(count: int) -> Tensor:
    """Points of the unit simplex of `count` corners with a coordinate of 0, (S, count), a few hundred at most."""
    cells = next(m for m in (12, 8, 6, 5, 4, 3, 2, 1) if m == 1 or math.comb(m + count - 1, count - 1) <= 300)
    points = [
        combination
        for bars in itertools.combinations(range(cells + count - 1), count - 1)
        if 0 in (combination := tuple(b - a - 1 for a, b in itertools.pairwise((-1, *bars, cells + count - 1))))
    ]
    return torch.tensor(points, dtype=torch.float64) / cells
