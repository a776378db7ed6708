"""The permutohedral lattice on the CPU, in numba and float32."""

import numpy as np

from wsss_core.crf import filter_kernels, lattice_kernels
from wsss_core.crf.embedding import embed
from wsss_core.crf.lanes import padded
from wsss_core.crf.self_weights import self_weights
from wsss_core.stage.threads import one_at_a_time

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
            keys, self.weights = lattice_kernels.simplices(features, space.scale, space.strides, space.steps)
        self.vertices, vertex_keys, table_keys, table_vertices = lattice_kernels.number(keys)
        self._neighbours = lattice_kernels.neighbours(vertex_keys, table_keys, table_vertices, space.steps)

    def filter(self, values: np.ndarray, *, base: np.ndarray | None = None, transpose: bool = False) -> np.ndarray:
        """Filtered values float32 (N, C), added to `base` (N, C) if given; `transpose` applies the transposed map."""
        n, channels = values.shape
        rows = np.zeros((n, padded(channels)), np.float32)
        rows[:, :channels] = values
        parts, reach, buffers = self.sums(rows.shape[1], self.parts)
        with one_at_a_time:
            filter_kernels.splat(self.vertices, self.weights, rows, parts, reach)
            blurred = self.blurred(parts, reach, buffers, transpose=transpose)
            rows[:] = 0
            if base is not None:
                rows[:, :channels] = base
            filter_kernels.gather(self.vertices, self.weights, blurred, rows)
        return np.ascontiguousarray(rows[:, :channels])

    @property
    def parts(self) -> int:
        """How many partial sums memory allows: fewer where the lattice is as large as the image, for any threads."""
        return max(1, min(_PARTS, len(self.vertices) // self._neighbours.shape[1]))

    def sums(self, channels: int, parts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Room for sums on the vertices.

        Returns:
            Partial sums float32 (parts, M + 1, C), 0 where their part of the points never reaches; the range of
            vertices that each reaches (parts, 2), all for the first; and two buffers (2, M + 1, C) for the blur.
        """
        n, slots = len(self.vertices), self._neighbours.shape[1]
        ranges = [self.vertices[n * part // parts : n * (part + 1) // parts] for part in range(parts)]
        reach = np.array([(0, slots)] + [(r.min(), r.max() + 1) for r in ranges[1:]])
        buffers = np.empty((2, slots, channels), np.float32)
        buffers[:, -1] = 0
        return np.empty((parts, slots, channels), np.float32), reach, buffers

    def blurred(
        self, parts: np.ndarray, reach: np.ndarray, buffers: np.ndarray, *, transpose: bool = False
    ) -> np.ndarray:
        """The sum of the partial sums, blurred along all axes; one of the buffers. Within `one_at_a_time`."""
        filter_kernels.sum_parts(parts, reach)
        now, (then, other) = parts[0], buffers
        axes = len(self._neighbours)
        for axis in reversed(range(axes)) if transpose else range(axes):
            filter_kernels.blur(self._neighbours[axis], now, then)
            now, then, other = then, other, then
        # The blur's gain, so that a constant keeps its size where the lattice is dense.
        now *= np.float32(1 / (1 + 2.0 ** (1 - axes)))
        return now

    def self_weights(self) -> np.ndarray:
        """The filter's own diagonal, float32 (N,): the weight of each point in its own filtered value."""
        return self_weights(self.vertices, self.weights, self._neighbours)

    def scaled(self, factors: np.ndarray) -> "NumbaLattice":
        """The filter diag(factors) · K · diag(factors) for factors (N,), at no cost later."""
        other = object.__new__(NumbaLattice)
        other.vertices, other._neighbours = self.vertices, self._neighbours
        other.weights = self.weights * factors.astype(np.float32)[:, None]
        return other
