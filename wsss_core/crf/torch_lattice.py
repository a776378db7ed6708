"""The permutohedral lattice in torch: built by sorting, for any device and float type."""

import torch
from torch import Tensor

from wsss_core.crf.embedding import Embedding, embed
from wsss_core.crf.self_weights import self_weights


class TorchLattice:
    """Approximates Σ_j exp(−|f_i − f_j|² / 2) v_j in time linear in the number of points (Adams et al. 2010).

    Sums run over sorted incidences, never over racing additions, so a device gives the same bytes twice.

    Args:
        features: float (N, d), in units of the kernel's width.

    Raises:
        ValueError: features that are not finite, or span too many kernel widths.
    """

    def __init__(self, features: Tensor) -> None:
        with torch.no_grad():
            space = embed(features.amin(0).tolist(), features.amax(0).tolist())
            keys, self._weights = _simplices(features, space)
            vertex_keys, vertices = torch.unique(keys, return_inverse=True)
            self._vertices = vertices  # (N, d + 1)
            self._neighbours = _neighbours(vertex_keys, space)  # (d + 1, M + 1, 2)
            flat = vertices.flatten()
            self._order = torch.argsort(flat, stable=True)
            self._lengths = torch.bincount(flat, minlength=len(vertex_keys))

    def filter(self, values: Tensor, *, base: Tensor | None = None, transpose: bool = False) -> Tensor:
        """Filtered values (N, C), added to `base` (N, C) where given; `transpose` applies the transposed map."""
        weights = self._weights.to(values.dtype)
        corners = weights.shape[1]
        incidences = values[self._order // corners] * weights.flatten()[self._order, None]  # (N·(d + 1), C)
        lattice = torch.segment_reduce(incidences, "sum", lengths=self._lengths, axis=0)  # (M, C)
        absent = lattice.new_zeros(1, values.shape[1])
        for axis in reversed(range(corners)) if transpose else range(corners):
            padded = torch.cat([lattice, absent])
            before, after = self._neighbours[axis, :-1].unbind(1)
            lattice = lattice + 0.5 * (padded[before] + padded[after])
        # The blur's gain, so that a constant keeps its size where the lattice is dense.
        lattice = lattice / (1 + 2.0 ** (1 - corners))
        out = torch.zeros_like(values) if base is None else base
        for corner in range(corners):
            out = out + weights[:, corner, None] * lattice[self._vertices[:, corner]]
        return out

    def self_weights(self) -> Tensor:
        """The filter's own diagonal (N,): the weight of each point in its own filtered value."""
        return self_weights(self._vertices, self._weights, self._neighbours)

    def scaled(self, factors: Tensor) -> "TorchLattice":
        """The filter diag(factors) · K · diag(factors) for factors (N,), at no cost later."""
        other = object.__new__(TorchLattice)
        other.__dict__.update(self.__dict__)
        other._weights = self._weights * factors[:, None].to(self._weights.dtype)
        return other


def _simplices(features: Tensor, space: Embedding) -> tuple[Tensor, Tensor]:
    """Keys int64 and barycentric weights, both (N, d + 1), of the simplex around each feature."""
    n, d = features.shape
    total = features.new_zeros(n)
    elevated = features.new_empty(n, d + 1)
    for j in range(d, 0, -1):
        f = features[:, j - 1] * float(space.scale[j - 1])
        elevated[:, j] = total - j * f
        total = total + f
    elevated[:, 0] = total
    # The same roundings and ties as in the CPU kernel: on a simplex's face they decide which vertices exist at all.
    cells = torch.round(elevated * (1 / (d + 1)))
    remainder = elevated - cells * (d + 1)
    descending = torch.argsort(remainder, dim=1, descending=True, stable=True)
    rank = torch.argsort(descending, dim=1) + cells.sum(1, keepdim=True).long()
    wrap = (rank < 0).long() - (rank > d).long()
    rank = rank + (d + 1) * wrap
    remainder = (remainder - (d + 1) * wrap) * (1 / (d + 1))
    weights = features.new_zeros(n, d + 2)
    weights.scatter_add_(1, d - rank, remainder)
    weights.scatter_add_(1, d - rank + 1, -remainder)
    weights[:, 0] += 1 + weights[:, d + 1]
    corner = (cells.long() + wrap) * (d + 1)
    strides, steps = (torch.as_tensor(x, device=features.device) for x in (space.strides, space.steps))
    first = (corner * strides).sum(1, keepdim=True)
    axis_of_rank = torch.argsort(rank, dim=1)
    walked = torch.cumsum(steps[axis_of_rank.flip(1)[:, :d]], dim=1)
    return torch.cat([first, first - walked], dim=1), weights[:, : d + 1].contiguous()


def _neighbours(vertex_keys: Tensor, space: Embedding) -> Tensor:
    """Vertex before and after each along each axis, int64 (d + 1, M + 1, 2); M stands for one that is not there."""
    m = len(vertex_keys)
    out = torch.full((len(space.steps), m + 1, 2), m, device=vertex_keys.device)
    for axis, step in enumerate(space.steps.tolist()):
        for side, offset in enumerate((step, -step)):
            wanted = vertex_keys + offset
            found = torch.searchsorted(vertex_keys, wanted).clamp(max=m - 1)
            out[axis, :m, side] = torch.where(vertex_keys[found] == wanted, found, m)
    return out
