"""Gaussian filtering of tensors, differentiable with respect to the filtered values."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor

from wsss_core.crf.exact import ExactFilter
from wsss_core.crf.torch_lattice import TorchLattice

Method = Literal["lattice", "exact"]
Normalise = Literal["none", "rows", "symmetric"]


class GaussianFilter:
    """Σ_j k(i, j) v_j with k(i, j) = exp(−|f_i − f_j|² / 2) over all points j, or all j ≠ i.

    The lattice is the numba one for float32 on the CPU and the torch one otherwise.

    Args:
        features: float (N, d), in units of the kernel's width; constant for the gradient.
        method: "lattice" (approximate, linear in N) or "exact" (a matrix of N × N).
        exclude_self: sum over j ≠ i.
        normalise: "rows" divides by Σ_j k(i, j), so that constants are preserved, also at a point without any
            neighbour; "symmetric" by the square roots of the sums of i and j.

    Raises:
        ValueError: features of another shape, unknown options, or too many kernel widths for the lattice.
    """

    def __init__(
        self,
        features: Tensor,
        *,
        method: Method = "lattice",
        exclude_self: bool = False,
        normalise: Normalise = "none",
    ) -> None:
        if features.ndim != 2 or not features.is_floating_point() or features.numel() == 0:
            raise ValueError(f"expected float features (N, d), got {features.dtype} {tuple(features.shape)}")
        if method not in get_args(Method) or normalise not in get_args(Normalise):
            raise ValueError(f"expected {get_args(Method)} and {get_args(Normalise)}, got {method!r} and {normalise!r}")
        features = features.detach()
        self._own = None
        if method == "exact":
            self._kernel: Any = ExactFilter(features, exclude_self=exclude_self)
        else:
            self._kernel = _lattice(features)
            self._own = self._kernel.self_weights()[:, None] if exclude_self else None
        self._normalise = normalise
        self.mass = self._filter(torch.ones_like(features[:, :1]))
        """Σ_j k(i, j), (N, 1)."""
        precision = torch.finfo(features.dtype)
        self.negligible = precision.tiny if self._own is None else 100 * precision.eps
        """A mass up to this is none: on the lattice, what is left of a point's own weight after rounding."""

    def __call__(self, values: Tensor) -> Tensor:
        """Filtered values, float (N, C) as the features' type.

        Raises:
            ValueError: values that are not (N, C) for the filter's N.
        """
        if values.ndim != 2 or len(values) != len(self.mass):
            raise ValueError(f"expected values ({len(self.mass)}, C), got {tuple(values.shape)}")
        if self._normalise == "none":
            return self._filter(values)
        alone = self.mass <= self.negligible
        mass = self.mass.masked_fill(alone, 1.0)
        if self._normalise == "rows":
            return torch.where(alone, values, self._filter(values) / mass)
        return self._filter(values / mass.sqrt()) / mass.sqrt()

    def _filter(self, values: Tensor) -> Tensor:
        filtered = _Filtered.apply(values, self._kernel)
        return filtered if self._own is None else filtered - self._own * values


class _Filtered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, kernel: Any) -> Tensor:
        ctx.kernel = kernel
        return kernel.filter(values)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.kernel.filter(gradient, transpose=True), None


class _OnCpu:
    """The numba lattice behind tensors."""

    def __init__(self, features: Tensor) -> None:
        from wsss_core.crf.numba_lattice import NumbaLattice

        self._lattice = NumbaLattice(features.numpy())

    def filter(self, values: Tensor, *, transpose: bool = False) -> Tensor:
        return torch.from_numpy(self._lattice.filter(values.detach().numpy(), transpose=transpose))

    def self_weights(self) -> Tensor:
        return torch.from_numpy(self._lattice.self_weights())


def _lattice(features: Tensor) -> _OnCpu | TorchLattice:
    if features.device.type == "cpu" and features.dtype == torch.float32:
        return _OnCpu(features)
    return TorchLattice(features)
