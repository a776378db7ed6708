"""Numba kernels of the dense CRF's mean field. An update is one pass over the pixels: marginals never leave the cache.

`near` and `alike` are the spatial and the bilateral kernel, as `infer_numba` lays them out.
"""

import numpy as np
from numba import njit, prange

from wsss_core.crf.filter_kernels import gather_rows, splat_rows
from wsss_core.crf.lanes import LANES, floor, largest, load, maximum, multiply_add, power_of_two, spread, store, total

_BLOCK = 256
_ZERO, _ONE = np.float32(0), np.float32(1)


@njit(cache=True)
def _transpose_rows(planes, first, out):  # type: ignore[no-untyped-def]
    for k in range(len(planes)):
        for i in range(len(out)):
            out[i, k] = planes[k, first + i]
    out[:, len(planes) :] = -np.inf


@njit(cache=True, parallel=True)
def transpose(planes, out):  # type: ignore[no-untyped-def]
    """Planes (K, N) into out (N, C), −inf from channel K on."""
    for block in prange((len(out) + _BLOCK - 1) // _BLOCK):
        _transpose_rows(planes, block * _BLOCK, out[block * _BLOCK : block * _BLOCK + _BLOCK])


@njit(cache=True)
def _exp(x):  # type: ignore[no-untyped-def]
    """exp of lanes ≤ 0 within 1e-7 (the polynomial of the Cephes library); 0 below −88."""
    x = maximum(x, np.float32(-88.0))
    n = floor(multiply_add(x, np.float32(1.44269504), np.float32(0.5)))
    r = multiply_add(n, np.float32(2.12194440e-4), multiply_add(n, np.float32(-0.693359375), x))
    p = multiply_add(np.float32(1.9875691500e-4), r, np.float32(1.3981999507e-3))
    p = multiply_add(p, r, np.float32(8.3334519073e-3))
    p = multiply_add(p, r, np.float32(4.1665795894e-2))
    p = multiply_add(p, r, np.float32(1.6666665459e-1))
    p = multiply_add(p, r, np.float32(5.0000001201e-1))
    p = multiply_add(p, multiply_add(r, r, _ZERO), multiply_add(_ONE, r, _ONE))
    return multiply_add(p, power_of_two(n), _ZERO)


@njit(cache=True)
def _softmax_rows(rows):  # type: ignore[no-untyped-def]
    """Softmax of each row (n, C) in its place; a channel that is −inf becomes 0."""
    for i in range(len(rows)):
        top = load(rows, i, 0)
        for c in range(LANES, rows.shape[1], LANES):
            top = maximum(top, load(rows, i, c))
        below, mass = -largest(top), spread(_ZERO)
        for c in range(0, rows.shape[1], LANES):
            power = _exp(multiply_add(_ONE, load(rows, i, c), below))
            store(rows, i, c, power)
            mass = multiply_add(_ONE, power, mass)
        factor = _ONE / total(mass)
        for c in range(0, rows.shape[1], LANES):
            store(rows, i, c, multiply_add(factor, load(rows, i, c), _ZERO))


@njit(cache=True)
def _soft_rows(scores, rows, near, alike, scratch):  # type: ignore[no-untyped-def]
    block = scratch[: len(scores[rows])]
    block[:] = scores[rows]
    gather_rows(near.vertices[rows], near.weights[rows], near.blurred, block)
    gather_rows(alike.vertices[rows], alike.weights[rows], alike.blurred, block)
    _softmax_rows(block)
    return block


@njit(cache=True)
def _update_rows(scores, first, last, near, alike, part):  # type: ignore[no-untyped-def]
    near_sum, alike_sum = near.parts[part], alike.parts[part]
    near_sum[near.reach[part, 0] : near.reach[part, 1]] = 0
    alike_sum[alike.reach[part, 0] : alike.reach[part, 1]] = 0
    scratch = np.empty((_BLOCK, scores.shape[1]), np.float32)
    for start in range(first, last, _BLOCK):
        rows = slice(start, min(last, start + _BLOCK))
        block = _soft_rows(scores, rows, near, alike, scratch)
        splat_rows(near.vertices[rows], near.weights[rows], block, near_sum)
        splat_rows(alike.vertices[rows], alike.weights[rows], block, alike_sum)


@njit(cache=True, parallel=True)
def update(scores, near, alike):  # type: ignore[no-untyped-def]
    """Softmax of scores (N, C) plus both kernels' blurred values, spread onto the kernels' sums."""
    n, count = len(scores), len(near.parts)
    for part in prange(count):
        _update_rows(scores, n * part // count, n * (part + 1) // count, near, alike, part)


@njit(cache=True)
def _finish_rows(scores, rows, near, alike, out):  # type: ignore[no-untyped-def]
    block = _soft_rows(scores, rows, near, alike, np.empty((_BLOCK, scores.shape[1]), np.float32))
    for k in range(len(out)):
        out[k, rows] = block[:, k]


@njit(cache=True, parallel=True)
def finish(scores, near, alike, out):  # type: ignore[no-untyped-def]
    """The same softmax into out (K, N), K ≤ C."""
    for block in prange((len(scores) + _BLOCK - 1) // _BLOCK):
        rows = slice(block * _BLOCK, block * _BLOCK + _BLOCK)
        _finish_rows(scores, rows, near, alike, out)
