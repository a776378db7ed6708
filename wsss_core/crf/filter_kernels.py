"""Numba kernels that filter on a built lattice, float32. Every sum has a fixed order, whatever the number of threads.

The parallel loops hand blocks of rows to serial functions: LLVM vectorises the inner loop over channels there, not
inside the body of a `prange`.
"""

import numpy as np
from numba import njit, prange

_BLOCK = 256
# Below this many values a blur takes less than waiting for another thread does on a busy machine.
_WORTH_THREADS = 1 << 20


@njit(cache=True)
def _splat_rows(vertices, weights, values, out):  # type: ignore[no-untyped-def]
    out[:] = 0
    for i in range(len(vertices)):
        for r in range(vertices.shape[1]):
            w, v = weights[i, r], vertices[i, r]
            for c in range(values.shape[1]):
                out[v, c] += w * values[i, c]


@njit(cache=True)
def _sum_parts(parts, first, last):  # type: ignore[no-untyped-def]
    for part in range(1, len(parts)):
        for v in range(first, last):
            for c in range(parts.shape[2]):
                parts[0, v, c] += parts[part, v, c]


@njit(cache=True, parallel=True)
def splat(vertices, weights, values, parts):  # type: ignore[no-untyped-def]
    """Spread (N, C) values onto parts[0] of (P, M + 1, C): each of P fixed ranges of points has a sum of its own."""
    n, (count, m, _) = len(vertices), parts.shape
    for part in prange(count):
        first, last = n * part // count, n * (part + 1) // count
        _splat_rows(vertices[first:last], weights[first:last], values[first:last], parts[part])
    for block in prange((m + _BLOCK - 1) // _BLOCK):
        _sum_parts(parts, block * _BLOCK, min(m, block * _BLOCK + _BLOCK))


@njit(cache=True)
def _blur_rows(neighbours, values, out, first, last):  # type: ignore[no-untyped-def]
    half = np.float32(0.5)
    for v in range(first, last):
        before, after = neighbours[v, 0], neighbours[v, 1]
        for c in range(values.shape[1]):
            out[v, c] = values[v, c] + half * (values[before, c] + values[after, c])


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


@njit(cache=True)
def _gather_rows(vertices, weights, values, base, out):  # type: ignore[no-untyped-def]
    for i in range(len(vertices)):
        for c in range(values.shape[1]):
            out[i, c] = base[i, c]
        for r in range(vertices.shape[1]):
            w, v = weights[i, r], vertices[i, r]
            for c in range(values.shape[1]):
                out[i, c] += w * values[v, c]


@njit(cache=True, parallel=True)
def gather(vertices, weights, values, base, out):  # type: ignore[no-untyped-def]
    """out[i] = base[i] + Σ_r weights[i, r] · values[vertices[i, r]]; (M + 1, C) values into (N, C)."""
    n = len(vertices)
    for block in prange((n + _BLOCK - 1) // _BLOCK):
        rows = slice(block * _BLOCK, block * _BLOCK + _BLOCK)
        _gather_rows(vertices[rows], weights[rows], values, base[rows], out[rows])


@njit(cache=True)
def _exp(x):  # type: ignore[no-untyped-def]
    """exp for x ≤ 0 within 1e-7, made of operations that vectorise (the polynomial of the Cephes library)."""
    x = max(x, np.float32(-87.0))
    n = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    r = x - n * np.float32(0.693359375) + n * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1)
    return p * np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)


@njit(cache=True)
def _softmax_rows(scores, out):  # type: ignore[no-untyped-def]
    for i in range(len(scores)):
        top = scores[i, 0]
        for c in range(1, scores.shape[1]):
            top = max(top, scores[i, c])
        for c in range(scores.shape[1]):
            out[i, c] = scores[i, c] - top
    flat = out.reshape(-1)
    for x in range(len(flat)):
        flat[x] = _exp(flat[x])
    for i in range(len(out)):
        total = np.float32(0)
        for c in range(out.shape[1]):
            total += out[i, c]
        factor = np.float32(1) / total
        for c in range(out.shape[1]):
            out[i, c] *= factor


@njit(cache=True, parallel=True)
def softmax(scores, out):  # type: ignore[no-untyped-def]
    """Softmax of each row of scores (N, K) into out (N, K)."""
    for block in prange((len(scores) + _BLOCK - 1) // _BLOCK):
        rows = slice(block * _BLOCK, block * _BLOCK + _BLOCK)
        _softmax_rows(scores[rows], out[rows])
