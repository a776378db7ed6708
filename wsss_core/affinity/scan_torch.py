"""The four scans in torch, for any device and float type: a loop over lines, all else at once.

The two directions along an axis are scanned together, the second with its lines in reverse. "Lines" below are arrays
(T, B, 2, …, K): line, image, direction, …, position across.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad


def forward(signal: Tensor, weights: Tensor) -> Tensor:
    """Scans (B, 4, C, H, W) of signal (B, C, H, W) under weights (B, 4, 3, G, H, W)."""
    across = _forward(signal.mT, weights[:, :2].mT).mT
    return torch.cat([across, _forward(signal, weights[:, 2:])], 1)


def backward(gradient: Tensor, signal: Tensor, weights: Tensor, scanned: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of signal and weights from that of the scans, `scanned` being what `forward` gave."""
    x, w = _backward(gradient[:, :2].mT, signal.mT, weights[:, :2].mT, scanned[:, :2].mT)
    y, v = _backward(gradient[:, 2:], signal, weights[:, 2:], scanned[:, 2:])
    return x.mT + y, torch.cat([w.mT, v], 1)


def _forward(signal: Tensor, weights: Tensor) -> Tensor:
    """Along axis T: signal (B, C, T, K), weights (B, 2, 3, G, T, K) → (B, 2, C, T, K)."""
    w = _inside(_to_lines(weights))
    own = (1 - w.sum(3)) * _to_lines(signal[:, None].expand(-1, 2, -1, -1, -1))  # (T, B, 2, C, K)
    return _from_lines(_recur(own, w))


def _backward(gradient: Tensor, signal: Tensor, weights: Tensor, scanned: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient runs the same recurrence from the last line back, where weight j leads from k to k + j − 1."""
    w = _inside(_to_lines(weights))
    adjoint = torch.stack([_shift(w[:, :, :, 2 - j], j) for j in range(3)], 3)
    adjoint = torch.cat([adjoint[:1], adjoint[1:].flip(0)])  # line t is reached from t + 1; the first of w is 0
    g = _recur(_to_lines(gradient).flip(0), adjoint).flip(0)  # (T, B, 2, C, K)
    own = _to_lines(signal[:, None].expand(-1, 2, -1, -1, -1))
    before = pad(_to_lines(scanned), (0,) * 8 + (1, -1))
    of_weights = torch.stack([_sum_to(g * (_shift(before, j) - own), w.shape[4]) for j in range(3)], 3)
    return _from_lines((1 - w.sum(3)) * g).sum(1), _from_lines(_inside(of_weights))


def _recur(own: Tensor, weights: Tensor) -> Tensor:
    """h[t] = own[t] + Σ_j weights[t, …, j] · (h[t − 1] moved by j): own (T, B, 2, C, K), weights (T, B, 2, 3, G, K)."""
    h = pad(own, (1, 1))
    inner = h[..., 1:-1]
    weights = weights.movedim(3, -1).contiguous()  # (T, B, 2, G, K, 3)
    for t in range(1, len(h)):
        inner[t] += (weights[t] * h[t - 1].unfold(-1, 3, 1)).sum(-1)
    return inner


def _inside(weights: Tensor) -> Tensor:
    """Weights (T, B, 2, 3, G, K) with 0 for neighbours outside the picture: before the first line and at both ends."""
    weights = weights.clone()
    weights[0] = 0
    weights[:, :, :, 0, :, 0] = 0
    weights[:, :, :, 2, :, -1] = 0
    return weights


def _shift(lines: Tensor, j: int) -> Tensor:
    """Position k of the result holds k + j − 1, 0 outside."""
    return pad(lines, (1 - j, j - 1))


def _sum_to(lines: Tensor, groups: int) -> Tensor:
    """Sum over the channels that share weights: (T, B, 2, C, K) → (T, B, 2, G, K)."""
    return lines.sum(3, keepdim=True) if groups == 1 else lines


def _to_lines(fields: Tensor) -> Tensor:
    """(B, 2, …, T, K) → (T, B, 2, …, K)."""
    return torch.stack([fields[:, 0], fields[:, 1].flip(-2)], 1).movedim(-2, 0)


def _from_lines(lines: Tensor) -> Tensor:
    """(T, B, 2, …, K) → (B, 2, …, T, K)."""
    fields = lines.movedim(0, -2)
    return torch.stack([fields[:, 0], fields[:, 1].flip(-2)], 1)
