"""The Gaussian filter without approximation: a matrix over all pairs of points, for references and small grids."""

import torch
from torch import Tensor


def log_kernel(features: Tensor) -> Tensor:
    """Logarithm of the Gaussian kernel, −|f_i − f_j|² / 2: features (..., N, d) in kernel widths → (..., N, N)."""
    # Differences, not the expanded square: the diagonal is exactly 0 and near points lose no digits.
    out = features.new_zeros(*features.shape[:-1], features.shape[-2])
    for feature in features.unbind(-1):
        out -= 0.5 * (feature[..., :, None] - feature[..., None, :]) ** 2
    return out


class ExactFilter:
    """Σ_j exp(−|f_i − f_j|² / 2) v_j for features (N, d): memory and time grow with N². Same interface as a lattice.

    Args:
        features: in units of the kernel's width.
        exclude_self: leave out j = i; subtracting it from a sum would cost a lonely point its digits.
    """

    def __init__(self, features: Tensor, *, exclude_self: bool = False) -> None:
        with torch.no_grad():
            self._kernel = log_kernel(features).exp()
            if exclude_self:
                self._kernel.fill_diagonal_(0)

    def filter(self, values: Tensor, *, base: Tensor | None = None, transpose: bool = False) -> Tensor:
        """Filtered values (N, C), added to `base` (N, C) where given; the kernel is its own transpose."""
        filtered = self._kernel.to(values.dtype) @ values
        return filtered if base is None else base + filtered

    def self_weights(self) -> Tensor:
        """The diagonal (N,)."""
        return self._kernel.diagonal()

    def scaled(self, factors: Tensor) -> "ExactFilter":
        """The filter diag(factors) · K · diag(factors) for factors (N,)."""
        other = object.__new__(ExactFilter)
        other._kernel = factors[:, None] * self._kernel * factors
        return other
