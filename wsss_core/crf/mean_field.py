"""Mean field of a Potts model whose pairwise part is a sum of filters; the CPU has its own, `mean_field_kernels`."""

from collections.abc import Callable, Sequence
from typing import Any

# The smallest probability a unary may hold, as in the authors' code: no label is ever impossible.
FLOOR = 1e-5


def mean_field(scores: Any, kernels: Sequence[Any], softmax: Callable[[Any], Any], iterations: int) -> Any:
    """Parallel mean-field updates (Krähenbühl & Koltun 2011, Alg. 1).

    The Potts penalty on differing labels and this reward for equal ones differ by a constant per pixel, which the
    softmax removes.

    Args:
        scores: log-probabilities (N, K).
        kernels: filters of (N, K) values, weight and normalisation inside.
        softmax: over the last axis.
        iterations: number of updates.

    Returns:
        Marginals (N, K).
    """
    marginals = softmax(scores)
    for _ in range(iterations):
        total = scores
        for kernel in kernels:
            total = kernel.filter(marginals, base=total)
        marginals = softmax(total)
    return marginals


def normalised(lattice: Any, ones: Any, weight: float) -> Any:
    """weight · D^−½ K D^−½, where D holds the row sums of the filter K; `ones` is (N, 1)."""
    return lattice.scaled((weight / lattice.filter(ones)[:, 0]) ** 0.5)
