"""The energy that affinity learning lowers."""

from __future__ import annotations

import torch
from torch import Tensor

from wsss_core.affinity.regions import IGNORE


def energy(unary: Tensor, propagated: Tensor) -> float:
    """Mean over pixels of Σ_l α_u (α_u − α_p), which is αᵀLα without the Laplacian L (Wang et al. 2019, eqs. 1 and 2).

    Args:
        unary, propagated: probabilities before and after propagation, float (C, H, W).

    Returns:
        0 where propagation changes nothing; below 0 is possible where affinities are.

    Raises:
        ValueError: shapes differ.
    """
    _check(unary, propagated)
    return float((unary * (unary - propagated)).sum(0).mean())


def mined_energy(unary: Tensor, propagated: Tensor, labels: Tensor) -> float | None:
    """The same with the one-hot labels Y for the first α_u, over labelled pixels; None where there is none.

    Args:
        unary, propagated: as for `energy`.
        labels: int64 (H, W), 255 = ignore.

    Raises:
        ValueError: shapes differ.
    """
    _check(unary, propagated)
    if labels.shape != unary.shape[1:]:
        raise ValueError(f"probabilities have shape {tuple(unary.shape)}, labels {tuple(labels.shape)}")
    labelled = labels != IGNORE
    if not labelled.any():
        return None
    change = torch.gather(unary - propagated, 0, torch.where(labelled, labels, 0)[None])[0]
    return float(change[labelled].mean())


def _check(unary: Tensor, propagated: Tensor) -> None:
    if unary.shape != propagated.shape or unary.ndim != 3:
        raise ValueError(f"expected two maps (C, H, W), got {tuple(unary.shape)} and {tuple(propagated.shape)}")
