"""Depthwise convolutions whose gradient is fast on a CPU, at the hundreds of channels that networks give them.

Torch's CPU kernel for the weight gradient knows no dilation and has no fast form above 3×3: in lite0 at stride 16 that
is a fifth of a training step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d

from wsss_core.models.depthwise_kernel import weight_gradient
from wsss_core.stage.threads import one_at_a_time


class Depthwise(nn.Conv2d):
    """A depthwise convolution of stride 1 that keeps the size, equal to `nn.Conv2d` up to rounding."""

    @staticmethod
    def suits(layer: nn.Module) -> bool:
        """Whether `layer` is a convolution that this class computes, and whose gradient torch is slow at."""
        return (
            type(layer) is nn.Conv2d
            and layer.groups == layer.in_channels == layer.out_channels
            and layer.stride == (1, 1)
            and layer.dilation[0] == layer.dilation[1]
            and layer.kernel_size[0] == layer.kernel_size[1]
            and layer.kernel_size[0] % 2 == 1
            and (layer.dilation[0] > 1 or layer.kernel_size[0] > 3)
            and layer.padding == (layer.dilation[0] * (layer.kernel_size[0] - 1) // 2,) * 2
            and layer.padding_mode == "zeros"
            and layer.bias is None
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H, W)."""
        full = x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
        if full and torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu"):
            y: Tensor = _Depthwise.apply(x, self.weight, self.dilation[0])
            return y
        return super().forward(x)


def speed_up_depthwise(network: nn.Module) -> None:
    """Make the depthwise convolutions of `network` fast to train; its state dict stays the same."""
    for layer in network.modules():
        if Depthwise.suits(layer):
            layer.__class__ = Depthwise


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        return _convolve(x, weight, dilation)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        (gradient,) = gradients
        by_x = _convolve(gradient, weight.flip(2, 3), ctx.dilation) if ctx.needs_input_grad[0] else None
        by_weight = _by_weight(x, gradient, weight, ctx.dilation) if ctx.needs_input_grad[1] else None
        return by_x, by_weight, None


def _convolve(x: Tensor, weight: Tensor, dilation: int) -> Tensor:
    padding = dilation * (weight.shape[2] - 1) // 2
    return conv2d(x, weight, padding=padding, dilation=dilation, groups=len(weight))


def _by_weight(x: Tensor, gradient: Tensor, weight: Tensor, dilation: int) -> Tensor:
    """The gradient of the weight (C, 1, k, k)."""
    pixels, gradients = (t.detach().permute(0, 2, 3, 1).contiguous().numpy() for t in (x, gradient))  # (B, H, W, C)
    sums = weight.new_zeros(len(x), *weight.shape[2:], len(weight))  # (B, k, k, C)
    with one_at_a_time:
        weight_gradient(pixels, gradients, sums.numpy(), dilation)
    return sums.sum(0).permute(2, 0, 1).unsqueeze(1)
