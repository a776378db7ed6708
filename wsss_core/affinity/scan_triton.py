"""The four scans on a GPU, float32: one Triton kernel each way, which walks over the lines itself.

A program has one direction of one channel to itself. Its threads hand a line on to the next one through global memory,
so the barrier after each line is needed for the result to be right. There are no atomics: same input, same bytes.

Written without a GPU at hand: it has run in Triton's interpreter, which knows no threads, and been compiled for sm_80
and sm_90, but never run on one. Therefore `forms` compares it with `scan_torch` on a device before it is used there.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 1024  # positions of a line at once, at most


def forward(signal: Tensor, weights: Tensor) -> Tensor:
    """Scans (B, 4, C, H, W) of signal (B, C, H, W) under weights (B, 4, 3, G, H, W), float32."""
    batch, channels, height, width = signal.shape
    out = signal.new_empty(batch, 4, channels, height, width)
    with torch.cuda.device_of(signal):
        _scan[(channels, 4, batch)](signal.contiguous(), weights.contiguous(), out, **_sizes(weights))
    return out


def backward(gradient: Tensor, signal: Tensor, weights: Tensor, scanned: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of signal and weights from that of the scans, `scanned` being what `forward` gave."""
    batch, channels, height, width = signal.shape
    total, of_signal = (signal.new_empty(batch, 4, channels, height, width) for _ in range(2))
    of_weights = signal.new_empty(batch, 4, 3, channels, height, width)
    given = [x.contiguous() for x in (gradient, signal, weights, scanned)]
    with torch.cuda.device_of(signal):
        _unscan[(channels, 4, batch)](*given, total, of_signal, of_weights, **_sizes(weights))
    return of_signal.sum(1), of_weights.sum(3, keepdim=True) if weights.shape[3] == 1 else of_weights


def _sizes(weights: Tensor) -> dict[str, int]:
    groups, height, width = weights.shape[3:]
    block = min(triton.next_power_of_2(max(height, width)), BLOCK)
    # One stage: nothing of a line is fetched ahead of the barrier before it.
    return {"groups": groups, "height": height, "width": width, "block": block, "num_stages": 1}


@triton.jit
def _scan(signal, weights, out, groups, height, width, block: tl.constexpr):  # type: ignore[no-untyped-def]
    """h[t, k] = x[t, k] + Σ_j w_j[t, k] (h[t − 1, k + j − 1] − x[t, k]), a neighbour outside left out."""
    lines, size, step, across, signal_at, scan_at, weight_at, _ = _path(groups, height, width)
    signal, out, weights = signal + signal_at, out + scan_at, weights + weight_at
    to_next = groups * height * width  # from a neighbour's weights to the next one's
    for t in range(0, lines):
        for begin in range(0, size, block):
            k = begin + tl.arange(0, block)
            at = t * step + k * across
            x = tl.load(signal + at, mask=k < size, other=0.0)
            h = x
            for j in tl.static_range(3):
                has = _both(k, j, size) & (t > 0)
                w = tl.load(weights + j * to_next + at, mask=has, other=0.0)
                h += w * (tl.load(out - step + (j - 1) * across + at, mask=has, other=0.0) - x)
            tl.store(out + at, h, mask=k < size)
        tl.debug_barrier()


@triton.jit
def _unscan(  # type: ignore[no-untyped-def]
    gradient, signal, weights, scanned, total, of_signal, of_weights, groups, height, width, block: tl.constexpr
):
    """From the last line back: `total` of h[t, k] is its gradient and what the line after it hands back.

    Then x[t, k] gets (1 − Σ_j w_j) of it and w_j[t, k] gets h[t − 1, k + j − 1] − x[t, k] times it, 0 for one outside.
    """
    lines, size, step, across, signal_at, scan_at, weight_at, of_weight_at = _path(groups, height, width)
    signal, weights, of_weights = signal + signal_at, weights + weight_at, of_weights + of_weight_at
    gradient, scanned, total, of_signal = gradient + scan_at, scanned + scan_at, total + scan_at, of_signal + scan_at
    to_next, of_to_next = groups * height * width, tl.num_programs(0) * height * width
    for i in range(0, lines):
        t = lines - 1 - i
        for begin in range(0, size, block):
            k = begin + tl.arange(0, block)
            at = t * step + k * across
            g = tl.load(gradient + at, mask=k < size, other=0.0)
            for j in tl.static_range(3):  # this is neighbour j of position k + 1 − j on the line after
                has = _both(k, 2 - j, size) & (t + 1 < lines)
                after = step + (1 - j) * across + at
                w = tl.load(weights + j * to_next + after, mask=has, other=0.0)
                g += w * tl.load(total + after, mask=has, other=0.0)
            tl.store(total + at, g, mask=k < size)
            x = tl.load(signal + at, mask=k < size, other=0.0)
            of_x = g
            for j in tl.static_range(3):
                has = _both(k, j, size) & (t > 0)
                h = tl.load(scanned - step + (j - 1) * across + at, mask=has, other=0.0)
                tl.store(of_weights + j * of_to_next + at, tl.where(has, g * (h - x), 0.0), mask=k < size)
                of_x -= tl.load(weights + j * to_next + at, mask=has, other=0.0) * g
            tl.store(of_signal + at, of_x, mask=k < size)
        tl.debug_barrier()


@triton.jit
def _path(groups, height, width):  # type: ignore[no-untyped-def]
    """What this program walks along, in numbers of elements.

    How many lines of which size, how far from line to line and from position to position, and where the first line
    begins in signal, scans, weights of neighbour 0 and their gradient.
    """
    c, channels, plane = tl.program_id(0), tl.num_programs(0), height * width
    direction = tl.program_id(1)
    image = tl.program_id(2).to(tl.int64)
    columns = direction < 2
    lines, size = tl.where(columns, width, height), tl.where(columns, height, width)
    step, across = tl.where(columns, 1, width), tl.where(columns, width, 1)
    backwards = direction % 2 == 1
    first = tl.where(backwards, (lines - 1) * step, 0)
    scan = image * 4 + direction
    return (
        lines,
        size,
        tl.where(backwards, -step, step),
        across,
        (image * channels + c) * plane + first,
        (scan * channels + c) * plane + first,
        (scan * 3 * groups + c % groups) * plane + first,
        (scan * 3 * channels + c) * plane + first,
    )


@triton.jit
def _both(k, j, size):  # type: ignore[no-untyped-def]
    """Whether positions k ≥ 0 and k + j − 1 of a line are both inside the picture."""
    return (k < size) & (k + j >= 1) & (k + j <= size)
