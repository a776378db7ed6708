"""Spatial propagation: a map carried over the picture by learned weights, line by line in four directions."""

from typing import Any

import torch
from torch import Tensor

from wsss_core.affinity.forms import Form, chosen_form


def propagate(signal: Tensor, weights: Tensor, *, form: Form = "fastest") -> Tensor:
    """The four scans of a signal, joined by element-wise maximum (Liu et al. 2017, §3; node-wise max-pooling).

    Args:
        signal: float (B, C, H, W), of any range.
        weights: as for `scans`; see there for the errors too.
        form: as for `scans`.

    Returns:
        float (B, C, H, W), differentiable with respect to both; where directions tie, they share the gradient.

    Example:
        >>> signal = torch.tensor([[[[1.0, 0.0, 0.0]]]])
        >>> weights = torch.zeros(1, 4, 3, 1, 1, 3)
        >>> weights[:, 0, 1] = 0.5  # from left to right, half of what the pixel before has
        >>> propagate(signal, weights)
        tensor([[[[1.0000, 0.5000, 0.2500]]]])
    """
    return scans(signal, weights, form=form).amax(1)


def scans(signal: Tensor, weights: Tensor, *, form: Form = "fastest") -> Tensor:
    """Linear propagation in each direction (Liu et al. 2017, §3, three-way connection).

    On line t along the direction, at position k across it, h[k, t] = (1 − Σ_j w_j[k, t]) x[k, t] +
    Σ_j w_j[k, t] h[j, t − 1] with j = k − 1, k, k + 1; the first line is the signal's. A neighbour outside the picture
    is left out of both sums, whatever its weight.

    Args:
        signal: float (B, C, H, W), of any range.
        weights: same type, (B, 4, 3, G, H, W): direction (left to right, right to left, top to bottom, bottom to top),
            then neighbour (above, beside, below for the first two directions; left, straight, right for the others),
            of the pixel that is reached. G = C, or G = 1 for weights that all channels share. Any range; `stable` keeps
            the result from growing.
        form: "numba" for float32 and float64 on the CPU, "triton" for float32 on a GPU, "torch" for any device and
            type, "fastest" the first of them that can (see `chosen_form`).

    Returns:
        float (B, 4, C, H, W), differentiable once with respect to both.

    Raises:
        ValueError: shapes, types or devices that do not fit, an empty signal, or a form that does not exist or cannot.
    """
    _check(signal, weights)
    return _Scans.apply(signal, weights, chosen_form(form, signal.device, signal.dtype))


def stable(weights: Tensor) -> Tensor:
    """Weights whose absolute values sum to at most 1 over the neighbours (Liu et al. 2017, §3, stability).

    What a line has then never grows on its way; with weights ≥ 0 every result is a mean of signals. (With negative ones
    each line may add up to twice its signal, so an adversary's signal can grow linearly, never exponentially.)

    Args:
        weights: float (B, 4, 3, G, H, W), finite.

    Returns:
        The same shape, divided by Σ_j |w_j| where that exceeds 1 and untouched elsewhere; differentiable.

    Raises:
        ValueError: weights of another shape.
    """
    if weights.ndim != 6 or weights.shape[1:3] != (4, 3):
        raise ValueError(f"expected weights (B, 4, 3, G, H, W), got {tuple(weights.shape)}")
    return weights / weights.abs().sum(2, keepdim=True).clamp(min=1)


class _Scans(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, signal: Tensor, weights: Tensor, form: Any) -> Tensor:
        scanned = form.forward(signal, weights)
        ctx.save_for_backward(signal, weights, scanned)
        ctx.form = form
        return scanned

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        return *ctx.form.backward(gradient, *ctx.saved_tensors), None


def _check(signal: Tensor, weights: Tensor) -> None:
    if signal.ndim != 4 or not signal.is_floating_point() or signal.numel() == 0:
        raise ValueError(
            f"expected a float signal (B, C, H, W) of some pixels, got {signal.dtype} {tuple(signal.shape)}"
        )
    batch, channels, height, width = signal.shape
    expected = [(batch, 4, 3, groups, height, width) for groups in (channels, 1)]
    if tuple(weights.shape) not in expected:
        raise ValueError(f"expected weights {expected[0]} or {expected[1]}, got {tuple(weights.shape)}")
    if weights.dtype != signal.dtype or weights.device != signal.device:
        raise ValueError(
            f"expected weights {signal.dtype} on {signal.device} as the signal, got {weights.dtype} on {weights.device}"
        )
