"""The four scans on the CPU, in numba."""

import torch
from torch import Tensor

from wsss_core.affinity import scan_kernels
from wsss_core.stage.threads import one_at_a_time


def forward(signal: Tensor, weights: Tensor) -> Tensor:
    """Scans (B, 4, C, H, W) of signal (B, C, H, W) under weights (B, 4, 3, G, H, W), float32 or float64."""
    batch, channels, height, width = signal.shape
    out = signal.new_empty(batch, 4, channels, height, width)
    with one_at_a_time:
        scan_kernels.forward(signal.contiguous().numpy(), weights.contiguous().numpy(), out.numpy())
    return out


def backward(gradient: Tensor, signal: Tensor, weights: Tensor, scanned: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of signal and weights from that of the scans, `scanned` being what `forward` gave."""
    of_signal = gradient.clone(memory_format=torch.contiguous_format)
    of_weights = torch.zeros_like(weights, memory_format=torch.contiguous_format)
    arrays = (x.contiguous().numpy() for x in (signal, weights, scanned, of_signal, of_weights))
    with one_at_a_time:
        scan_kernels.backward(*arrays)
    return of_signal.sum(1), of_weights
