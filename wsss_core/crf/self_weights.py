"""The diagonal of the lattice's filter: what a point adds to its own filtered value."""

from typing import Any


def self_weights(vertices: Any, weights: Any, neighbours: Any) -> Any:
    """Sum over the blur's paths that begin and end at corners of a point's own simplex.

    Corner s > r lies s − r steps `after` corner r, each along another axis; the other axes `before` lead there too,
    since one step along every axis leads back. A step weighs 1/2, and a path through a vertex that the lattice lacks
    adds nothing. The blur takes the axes in order, so two corners have two paths, and a corner has three to itself.

    Args:
        vertices: int (N, d + 1), numpy or torch.
        weights: float (N, d + 1).
        neighbours: int (d + 1, M + 1, 2), before and after along each axis, M where there is none.

    Returns:
        float (N,), in the library of the arguments.
    """
    corners = vertices.shape[1]
    leads = [neighbours[:, vertices[:, r], 1] == vertices[:, r + 1] for r in range(corners - 1)]  # (d + 1, N) each
    total = 0 * weights[:, 0]
    for first in range(corners):
        for last in range(corners):
            between = leads[0] & False
            for r in range(min(first, last), max(first, last)):
                between = between | leads[r]
            side = 1 if first < last else 0
            paths = [(between, side), (~between, 1 - side)] + ([(~between, side)] if first == last else [])
            for moves, way in paths:
                steps = abs(first - last) if moves is between else corners - abs(first - last)
                arrived = _walk(vertices[:, first], moves, way, neighbours) == vertices[:, last]
                total = total + 0.5**steps * weights[:, first] * weights[:, last] * arrived
    return total / (1 + 2.0 ** (1 - corners))


def _walk(start: Any, moves: Any, way: int, neighbours: Any) -> Any:
    """The vertex reached from `start` (N,) by a step `way` along each axis where `moves` (d + 1, N) is true."""
    vertex = start
    for axis in range(len(neighbours)):
        vertex = vertex + (neighbours[axis, vertex, way] - vertex) * moves[axis]
    return vertex
