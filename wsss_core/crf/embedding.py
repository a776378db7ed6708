"""Where the permutohedral lattice lies: scales and integer keys, shared by the CPU and the torch construction.

A vertex is known by one int64: the mixed-radix number of its first d coordinates (the last is implied). A step along an
axis then adds a constant to the key, so a neighbour is found by one addition and one look-up.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Embedding(NamedTuple):
    """Scale float32 (d,), the embedding's diagonal; strides int64 (d + 1,), each coordinate's weight in a key; steps
    int64 (d + 1,), the key's change for one step back along each axis."""

    scale: np.ndarray
    strides: np.ndarray
    steps: np.ndarray


def embed(low: Sequence[float], high: Sequence[float]) -> Embedding:
    """The embedding of features that lie in a box (Adams, Baek & Davis 2010, §3.1).

    Args:
        low: the smallest value of each of the d features, in units of the kernel's width.
        high: the largest.

    Raises:
        ValueError: the box is not finite, or spans so many kernel widths that keys do not fit into 62 bits.
    """
    d = len(low)
    i = np.arange(d)
    # The blur along d + 1 axes together with splat and slice is then a Gaussian of unit variance.
    scale = np.sqrt(2.0 / 3.0) * (d + 1) / np.sqrt((i + 2.0) * (i + 1.0))
    reach = scale * np.maximum(np.abs(low), np.abs(high))
    # |coordinate j| ≤ j·|f_{j−1}| + Σ_{i≥j} |f_i|; the margin holds rounding, the simplex and its neighbours.
    bound = np.array([(j * reach[j - 1] if j else 0.0) + reach[j:].sum() for j in range(d)]) + 3 * (d + 1)
    extents = 2 * np.ceil(bound) + 1
    if not np.prod(extents) < 2.0**62:
        raise ValueError(f"expected finite features within fewer kernel widths of 0, got {list(low)} to {list(high)}")
    strides = np.zeros(d + 1, dtype=np.int64)
    strides[:d] = np.concatenate([[1], np.cumprod(extents[:-1])]).astype(np.int64)
    return Embedding(scale.astype(np.float32), strides, (d + 1) * strides - strides.sum())
