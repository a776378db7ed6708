"""Averages over all other pixels under a mixture of Gaussian kernels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn.functional import conv2d

Normalised = Literal["each", "joint", "none"]


class Neighbours(Protocol):
    """A kernel between n pixels that leaves out j = i: `GaussianFilter` with `exclude_self`, or `GridFilter`."""

    mass: Tensor
    negligible: float

    def __call__(self, values: Tensor) -> Tensor: ...


class GridFilter:
    """Σ_{j ≠ i} exp(−|x_i − x_j|² / 2σ²) v_j over the nodes of a grid, by convolution: exact up to a distance of 5 σ.

    A lattice is no substitute where σ is about the distance of two nodes: it spreads a value over its neighbours.

    Args:
        inside: bool (h, w), which nodes there are; n of them, in row-major order.
        width: σ in distances of two nodes.
    """

    def __init__(self, inside: Tensor, width: float, *, dtype: torch.dtype = torch.float32) -> None:
        radius = min(math.ceil(5 * width), max(inside.shape) - 1)
        steps = torch.arange(-radius, radius + 1, dtype=dtype, device=inside.device) / width
        line = (-0.5 * steps**2).exp()
        kernel = line[:, None] * line
        kernel[radius, radius] = 0  # subtracting v_i afterwards would cost a lonely node its digits
        self._kernel, self._inside, self._radius = kernel[None, None], inside, radius
        self.negligible = torch.finfo(dtype).tiny
        self.mass = self(torch.ones(int(inside.sum()), 1, dtype=dtype, device=inside.device))

    def __call__(self, values: Tensor) -> Tensor:
        """Filtered values (n, C), differentiable with respect to the values."""
        grid = values.new_zeros(*self._inside.shape, values.shape[1])
        grid = grid.masked_scatter(self._inside[..., None].expand_as(grid), values)
        filtered = conv2d(grid.permute(2, 0, 1)[:, None], self._kernel, padding=self._radius)
        return filtered[:, 0].permute(1, 2, 0)[self._inside]


def neighbour_mean(
    values: Tensor, kernels: Sequence[Neighbours], weights: Sequence[float], *, normalised: Normalised
) -> Tensor:
    """Σ_{j ≠ i} k̂(i, j) v_j, differentiable with respect to the values; a pixel without neighbours keeps its own.

    Args:
        values: float (n, C).
        kernels: of the same n pixels.
        weights: of each kernel, > 0.
        normalised: "joint", k̂ = Σ_k w_k k_k / Σ_j Σ_k w_k k_k, of sum 1; "each", Σ_k w_k (k_k / Σ_j k_k), of sum
            Σ_k w_k; "none", the raw symmetric Σ_k w_k k_k.
    """
    sums = [weight * kernel(values) for weight, kernel in zip(weights, kernels, strict=True)]
    if normalised == "none":
        return torch.stack(sums).sum(0)
    if normalised == "joint":
        mass = torch.stack([weight * kernel.mass for weight, kernel in zip(weights, kernels, strict=True)]).sum(0)
        negligible = sum(weight * kernel.negligible for weight, kernel in zip(weights, kernels, strict=True))
        return _mean(torch.stack(sums).sum(0), mass, negligible, values)
    parts = zip(sums, kernels, weights, strict=True)
    return torch.stack([_mean(s, k.mass, k.negligible, w * values) for s, k, w in parts]).sum(0)


def _mean(total: Tensor, mass: Tensor, negligible: float, own: Tensor) -> Tensor:
    alone = mass <= negligible
    return torch.where(alone, own, total / mass.masked_fill(alone, 1.0))
