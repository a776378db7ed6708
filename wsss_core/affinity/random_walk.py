"""The random walk over pairwise affinities, the contrast to spatial propagation (Ahn & Kwak 2018)."""

import torch
from torch import Tensor


def affinities(features: Tensor, *, radius: float = 5.0) -> Tensor:
    """Affinity of each pair of nearby nodes of a grid, exp(−‖f_i − f_j‖₁) (Ahn & Kwak 2018, §3.2).

    The authors' code divides the distance by D, which features divided by D give here; unlike it, nodes at the grid's
    border keep all their neighbours.

    Args:
        features: float (D, h, w), in row-major order below.
        radius: pairs less than this far apart, in nodes, have an affinity; > 0.

    Returns:
        float (h·w, h·w) in [0, 1], symmetric, 1 on the diagonal and 0 for pairs too far apart; differentiable.

    Raises:
        ValueError: features of another shape, or a radius that is not positive.
    """
    if features.ndim != 3 or not features.is_floating_point() or features.numel() == 0:
        raise ValueError(f"expected float features (D, h, w), got {features.dtype} {tuple(features.shape)}")
    if not radius > 0:
        raise ValueError(f"expected a radius > 0, got {radius}")
    rows, columns = (torch.arange(n, device=features.device) for n in features.shape[1:])
    at = torch.cartesian_prod(rows, columns)  # (n, 2)
    near = (at[:, None] - at).square().sum(2) < radius**2  # (n, n)
    nodes = features.flatten(1).T  # (n, D)
    return (-torch.cdist(nodes, nodes, p=1)).exp() * near


def transition(affinity: Tensor, *, beta: float = 8.0) -> Tensor:
    """Transition matrix T = D⁻¹ A^β, the power element by element, D its sums over rows (Ahn & Kwak 2018, §3.3).

    Args:
        affinity: float (n, n), ≥ 0, with a positive sum in each row.
        beta: > 0; a greater one makes the walk more cautious.

    Returns:
        float (n, n) in [0, 1], rows that sum to 1; differentiable.

    Raises:
        ValueError: a matrix that is not square, a beta that is not positive, or a row without a positive sum.
    """
    if affinity.ndim != 2 or affinity.shape[0] != affinity.shape[1] or not affinity.is_floating_point():
        raise ValueError(f"expected float affinities (n, n), got {affinity.dtype} {tuple(affinity.shape)}")
    if not beta > 0:
        raise ValueError(f"expected beta > 0, got {beta}")
    powers = affinity**beta
    sums = powers.sum(1, keepdim=True)
    if not (sums > 0).all():
        raise ValueError(f"expected rows of a positive sum, got {float(sums.min()):.4g}")
    return powers / sums


def random_walk(scores: Tensor, matrix: Tensor, *, log2_steps: int = 8) -> Tensor:
    """Scores after 2^log2_steps steps of a walk, by squaring its matrix (Ahn & Kwak 2018, §3.3).

    Args:
        scores: float (C, h, w).
        matrix: transitions (h·w, h·w), same type: row i holds what node i takes from every node in one step.
        log2_steps: ≥ 0.

    Returns:
        float (C, h, w), each a mean of its channel's scores.

    Raises:
        ValueError: shapes that do not fit, or a negative number.
    """
    if scores.ndim != 3 or tuple(matrix.shape) != (scores[0].numel(),) * 2:
        raise ValueError(
            f"expected scores (C, h, w) and a matrix (h·w, h·w), got {tuple(scores.shape)} and {tuple(matrix.shape)}"
        )
    if log2_steps < 0:
        raise ValueError(f"expected log2_steps ≥ 0, got {log2_steps}")
    for _ in range(log2_steps):
        matrix = matrix @ matrix
    return (scores.flatten(1) @ matrix.T).reshape(scores.shape)
