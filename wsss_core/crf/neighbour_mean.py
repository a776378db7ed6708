"""Averages over all other pixels under a mixture of Gaussian kernels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsss_core.crf.exact import log_kernel
from wsss_core.crf.filtering import GaussianFilter


def neighbour_mean(
    values: Tensor, features: Sequence[Tensor], weights: Sequence[float], *, joint: bool, exact: bool
) -> Tensor:
    """Σ_{j ≠ i} k̂(i, j) v_j for a mixture of Gaussian kernels, differentiable with respect to the values.

    Args:
        values: float (N, C), N ≥ 2.
        features: of each kernel, float (N, d_k), in units of its width.
        weights: of each kernel, > 0.
        joint: k̂ = Σ_k w_k k_k / Σ_j Σ_k w_k k_k, of sum 1; otherwise Σ_k w_k (k_k / Σ_j k_k), of sum Σ_k w_k.
        exact: all pairs, memory N²; otherwise the permutohedral lattice.

    Returns:
        Float (N, C).
    """
    if exact:
        with torch.no_grad():
            kernel = _kernel_matrix(features, weights, joint)
        return kernel @ values
    filters = [GaussianFilter(f, exclude_self=True, normalise="none" if joint else "rows") for f in features]
    total = torch.stack([w * f(values) for w, f in zip(weights, filters, strict=True)]).sum(0)
    if not joint:
        return total
    mass = torch.stack([w * f.mass for w, f in zip(weights, filters, strict=True)]).sum(0)
    alone = mass <= sum(weights) * filters[0].negligible
    return torch.where(alone, values, total / mass.masked_fill(alone, 1.0))


def _kernel_matrix(features: Sequence[Tensor], weights: Sequence[float], joint: bool) -> Tensor:
    # Normalised as a softmax of logarithms: a pixel far from all others still has a nearest neighbour.
    logs = [log_kernel(f).fill_diagonal_(-torch.inf) for f in features]
    weights_ = features[0].new_tensor(weights)
    if joint:
        return torch.stack([log + w.log() for log, w in zip(logs, weights_, strict=True)]).logsumexp(0).softmax(1)
    return torch.stack([w * log.softmax(1) for log, w in zip(logs, weights_, strict=True)]).sum(0)
