"""Numba kernels that build the permutohedral lattice on the CPU (Adams, Baek & Davis 2010, §3)."""

import numpy as np
from numba import njit, prange

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FIRST_BITS = 16
_BLOCK = 256


@njit(cache=True)
def _corners_and_ranks(features, scale):  # type: ignore[no-untyped-def]
    """Elevated features and nearest 0-colour points, float32 (d + 1, n), and each axis's rank by what remains."""
    n, d = features.shape  # loops over points innermost, for they vectorise
    elevated, corner = np.zeros((d + 1, n), np.float32), np.empty((d + 1, n), np.float32)
    rank, off_plane = np.zeros((d + 1, n), np.int32), np.zeros(n, np.int32)
    down, up, total = np.float32(1.0 / (d + 1)), np.float32(d + 1), elevated[0]
    for j in range(d, 0, -1):
        for i in range(n):
            f = features[i, j - 1] * scale[j - 1]
            elevated[j, i] = total[i] - np.float32(j) * f
            total[i] += f
    for j in range(d + 1):
        for i in range(n):
            cell = np.rint(down * elevated[j, i])
            corner[j, i] = cell * up
            off_plane[i] += np.int32(cell)
    for j in range(d + 1):
        for k in range(j + 1, d + 1):
            for i in range(n):
                below = np.int32(elevated[j, i] - corner[j, i] < elevated[k, i] - corner[k, i])
                rank[j, i] += below
                rank[k, i] += np.int32(1) - below
    rank += off_plane
    return elevated, corner, rank


@njit(cache=True)
def _simplices(features, scale, strides, steps, keys, weights):  # type: ignore[no-untyped-def]
    n, d = features.shape
    elevated, corners, ranks = _corners_and_ranks(features, scale)
    down, up = np.float32(1.0 / (d + 1)), np.float32(d + 1)
    by_rank, axis_of_rank = np.empty(d + 1, np.float32), np.empty(d + 1, np.int64)
    for i in range(n):
        key = np.int64(0)
        for j in range(d + 1):
            rank, corner = ranks[j, i], corners[j, i]
            if rank < 0:
                rank += d + 1
                corner += up
            elif rank > d:
                rank -= d + 1
                corner -= up
            axis_of_rank[rank] = j
            by_rank[rank] = (elevated[j, i] - corner) * down
            key += strides[j] * np.int64(corner)
        weights[i, 0] = by_rank[d] + (np.float32(1) - by_rank[0])
        keys[i, 0] = key
        for r in range(1, d + 1):
            weights[i, r] = by_rank[d - r] - by_rank[d - r + 1]
            key -= steps[axis_of_rank[d - r + 1]]
            keys[i, r] = key


@njit(cache=True, parallel=True)
def simplices(features, scale, strides, steps):  # type: ignore[no-untyped-def]
    """Keys int64 (N, d + 1) of the simplex around each feature and its barycentric weights float32 (N, d + 1)."""
    n, d = features.shape
    keys = np.empty((n, d + 1), np.int64)
    weights = np.empty((n, d + 1), np.float32)
    for block in prange((n + _BLOCK - 1) // _BLOCK):
        rows = slice(block * _BLOCK, block * _BLOCK + _BLOCK)
        _simplices(features[rows], scale, strides, steps, keys[rows], weights[rows])
    return keys, weights


@njit(cache=True)
def _slot(table_keys, table_vertices, key, bits):  # type: ignore[no-untyped-def]
    slot = np.int64((np.uint64(key) * _MULTIPLIER) >> np.uint64(64 - bits))
    while table_vertices[slot] >= 0 and table_keys[slot] != key:
        slot = (slot + 1) & (len(table_keys) - 1)
    return slot


@njit(cache=True)
def _table(vertex_keys, bits):  # type: ignore[no-untyped-def]
    table_keys = np.empty(1 << bits, np.int64)
    table_vertices = np.full(1 << bits, -1, np.int32)
    for v in range(len(vertex_keys)):
        slot = _slot(table_keys, table_vertices, vertex_keys[v], bits)
        table_keys[slot] = vertex_keys[v]
        table_vertices[slot] = v
    return table_keys, table_vertices


@njit(cache=True)
def number(keys):  # type: ignore[no-untyped-def]
    """Vertex numbers int32 (N, d + 1) in order of first use, keys int64 (M,) by number, and the hash table."""
    n, corners = keys.shape
    bits = _FIRST_BITS
    vertices = np.empty((n, corners), np.int32)
    vertex_keys = np.empty(1 << (bits - 1), np.int64)
    count = 0
    table_keys, table_vertices = _table(vertex_keys[:0], bits)
    for i in range(n):
        for r in range(corners):
            key = keys[i, r]
            # Pixels beside each other mostly share a simplex.
            if i > 0 and keys[i - 1, r] == key:
                vertices[i, r] = vertices[i - 1, r]
                continue
            slot = _slot(table_keys, table_vertices, key, bits)
            if table_vertices[slot] >= 0:
                vertices[i, r] = table_vertices[slot]
                continue
            if count == len(vertex_keys):
                bits += 1
                longer = np.empty(2 * count, np.int64)
                longer[:count] = vertex_keys
                vertex_keys = longer
                table_keys, table_vertices = _table(vertex_keys[:count], bits)
                slot = _slot(table_keys, table_vertices, key, bits)
            table_keys[slot] = key
            table_vertices[slot] = count
            vertex_keys[count] = key
            vertices[i, r] = count
            count += 1
    return vertices, vertex_keys[:count], table_keys, table_vertices


@njit(cache=True)
def neighbours(vertex_keys, table_keys, table_vertices, steps):  # type: ignore[no-untyped-def]
    """Vertex before and after each along each axis, int32 (d + 1, M + 1, 2); M stands for one that is not there."""
    m, bits = len(vertex_keys), 0
    while (1 << bits) < len(table_keys):
        bits += 1
    out = np.full((len(steps), m + 1, 2), m, np.int32)
    for axis in range(len(steps)):
        for v in range(m):
            after = table_vertices[_slot(table_keys, table_vertices, vertex_keys[v] - steps[axis], bits)]
            if after >= 0:
                out[axis, v, 1] = after
                out[axis, after, 0] = v
    return out
