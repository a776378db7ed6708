"""Numba kernels that filter on a built lattice, float32. Every sum has a fixed order, whatever the number of threads.

Arrays of values are C-contiguous, with a multiple of `LANES` channels. The points are split into a fixed number of
parts, each with a sum on the lattice of its own.
"""

import numpy as np
from numba import njit, prange

from wsss_core.crf.lanes import LANES, load, multiply_add, store

_BLOCK = 256
# Below this many values a blur takes less than waiting for another thread does on a busy machine.
_WORTH_THREADS = 1 << 20


@njit(cache=True)
def splat_rows(vertices, weights, values, out):  # type: ignore[no-untyped-def]
    """out[vertices[i, r]] += weights[i, r] · values[i]; (n, C) values onto (M + 1, C)."""
    for i in range(len(vertices)):
        for c in range(0, values.shape[1], LANES):
            row = load(values, i, c)
            for r in range(vertices.shape[1]):
                v = vertices[i, r]
                store(out, v, c, multiply_add(weights[i, r], row, load(out, v, c)))


@njit(cache=True)
def gather_rows(vertices, weights, values, out):  # type: ignore[no-untyped-def]
    """out[i] += Σ_r weights[i, r] · values[vertices[i, r]]; (M + 1, C) values onto (n, C)."""
    for i in range(len(vertices)):
        for c in range(0, values.shape[1], LANES):
            row = load(out, i, c)
            for r in range(vertices.shape[1]):
                row = multiply_add(weights[i, r], load(values, vertices[i, r], c), row)
            store(out, i, c, row)


@njit(cache=True)
def _sum_rows(parts, reach, first, last):  # type: ignore[no-untyped-def]
    for part in range(1, len(parts)):
        for v in range(max(first, reach[part, 0]), min(last, reach[part, 1])):
            for c in range(0, parts.shape[2], LANES):
                store(parts[0], v, c, multiply_add(np.float32(1), load(parts[part], v, c), load(parts[0], v, c)))


@njit(cache=True, parallel=True)
def sum_parts(parts, reach):  # type: ignore[no-untyped-def]
    """Add up the parts' sums (P, M + 1, C) in parts[0]; reach (P, 2) bounds the vertices that a part touches."""
    m = parts.shape[1]
    for block in prange((m + _BLOCK - 1) // _BLOCK):
        _sum_rows(parts, reach, block * _BLOCK, min(m, block * _BLOCK + _BLOCK))


@njit(cache=True, parallel=True)
def splat(vertices, weights, values, parts, reach):  # type: ignore[no-untyped-def]
    """Spread (N, C) values onto the parts' sums (P, M + 1, C)."""
    n, count = len(vertices), len(parts)
    for part in prange(count):
        rows = slice(n * part // count, n * (part + 1) // count)
        parts[part, reach[part, 0] : reach[part, 1]] = 0
        splat_rows(vertices[rows], weights[rows], values[rows], parts[part])


@njit(cache=True)
def _blur_rows(neighbours, values, out, first, last):  # type: ignore[no-untyped-def]
    half = np.float32(0.5)
    for v in range(first, last):
        before, after = neighbours[v, 0], neighbours[v, 1]
        for c in range(0, values.shape[1], LANES):
            half_way = multiply_add(half, load(values, before, c), load(values, v, c))
            store(out, v, c, multiply_add(half, load(values, after, c), half_way))


@njit(cache=True, parallel=True)
def blur(neighbours, values, out):  # type: ignore[no-untyped-def]
    """One axis of the blur: out[v] = values[v] + (values[before] + values[after]) / 2, both (M + 1, C).

    The last row stands for absent vertices; it is read as 0 and not written.
    """
    m = len(values) - 1
    if values.size < _WORTH_THREADS:
        _blur_rows(neighbours, values, out, 0, m)
    else:
        for block in prange((m + _BLOCK - 1) // _BLOCK):
            _blur_rows(neighbours, values, out, block * _BLOCK, min(m, block * _BLOCK + _BLOCK))


@njit(cache=True, parallel=True)
def gather(vertices, weights, values, out):  # type: ignore[no-untyped-def]
    """`gather_rows` for all points."""
    for block in prange((len(vertices) + _BLOCK - 1) // _BLOCK):
        rows = slice(block * _BLOCK, block * _BLOCK + _BLOCK)
        gather_rows(vertices[rows], weights[rows], values, out[rows])
