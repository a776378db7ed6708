"""The permutohedral lattice on the CPU, in numba and float32."""

import numpy as np

from wsss_core.crf import filter_kernels, lattice_kernels
from wsss_core.crf.embedding import embed
from wsss_core.crf.self_weights import self_weights
from wsss_core.crf.threads import one_at_a_time

_PARTS = 4


class NumbaLattice:
    """Approximates Σ_j exp(−|f_i − f_j|² / 2) v_j in time linear in the number of points (Adams et al. 2010).

    Args:
        features: (N, d), in units of the kernel's width.

    Raises:
        ValueError: features that are not finite, or span too many kernel widths.
    """

    def __init__(self, features: np.ndarray) -> None:
        features = np.ascontiguousarray(features, dtype=np.float32)
        space = embed([float(f.min()) for f in features.T], [float(f.max()) for f in features.T])
        with one_at_a_time:
            keys, self._weights = lattice_kernels.simplices(features, space.scale, space.strides, space.steps)
        self._vertices, vertex_keys, table_keys, table_vertices = lattice_kernels.number(keys)
        self._neighbours = lattice_kernels.neighbours(vertex_keys, table_keys, table_vertices, space.steps)

    def filter(self, values: np.ndarray, *, base: np.ndarray | None = None, transpose: bool = False) -> np.ndarray:
        """Filtered values float32 (N, C), added to `base` (N, C) if given; `transpose` applies the transposed map."""
        values = np.ascontiguousarray(values, dtype=np.float32)
        axes, slots = self._neighbours.shape[:2]
        # As many partial sums as memory allows, fewer where the lattice is as large as the image, for any thread count.
        parts = max(1, min(_PARTS, len(values) // slots))
        lattice = np.empty((max(parts, 2), slots, values.shape[1]), np.float32)
        base = np.zeros_like(values) if base is None else base
        out = np.empty_like(values)
        with one_at_a_time:
            filter_kernels.splat(self._vertices, self._weights, values, lattice[:parts])
            now, then = lattice[0], lattice[1]
            then[-1] = 0
            for axis in reversed(range(axes)) if transpose else range(axes):
                filter_kernels.blur(self._neighbours[axis], now, then)
                now, then = then, now
            # The blur's gain, so that a constant keeps its size where the lattice is dense.
            now *= np.float32(1 / (1 + 2.0 ** (1 - axes)))
            filter_kernels.gather(self._vertices, self._weights, now, base, out)
        return out

    def self_weights(self) -> np.ndarray:
        """The filter's own diagonal, float32 (N,): the weight of each point in its own filtered value."""
        return self_weights(self._vertices, self._weights, self._neighbours)

    def scaled(self, factors: np.ndarray) -> "NumbaLattice":
        """The filter diag(factors) · K · diag(factors) for factors (N,), at no cost later."""
        other = object.__new__(NumbaLattice)
        other._vertices, other._neighbours = self._vertices, self._neighbours
        other._weights = self._weights * factors.astype(np.float32)[:, None]
        return other
