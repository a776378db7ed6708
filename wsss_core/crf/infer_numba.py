"""The dense CRF's inference on the CPU."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from wsss_core.crf import mean_field_kernels
from wsss_core.crf.lanes import padded
from wsss_core.crf.mean_field import FLOOR, normalised
from wsss_core.crf.numba_lattice import NumbaLattice
from wsss_core.stage.threads import one_at_a_time


class _Kernel(NamedTuple):
    """A lattice's arrays as the numba kernels want them; `blurred` holds the filter's values before `gather`."""

    vertices: np.ndarray
    weights: np.ndarray
    parts: np.ndarray
    reach: np.ndarray
    blurred: np.ndarray


def infer(
    probabilities: np.ndarray,
    spatial: np.ndarray,
    bilateral: Iterable[np.ndarray],
    weights: tuple[float, float],
    iterations: int,
) -> np.ndarray:
    """Marginals float32 (B, K, H, W) for features (N, 2), and (N, 5) of each image."""
    ones = np.ones((len(spatial), 1), np.float32)
    near = normalised(NumbaLattice(spatial), ones, weights[0])
    out = np.empty(probabilities.shape, np.float32)
    for unary, features, marginals in zip(probabilities, bilateral, out, strict=True):
        alike = normalised(NumbaLattice(features), ones, weights[1])
        planes = np.maximum(unary, FLOOR, dtype=np.float32).reshape(len(unary), -1)
        np.log(planes, out=planes)
        scores = np.empty((len(spatial), padded(len(unary))), np.float32)
        with one_at_a_time:
            mean_field_kernels.transpose(planes, scores)
            _mean_field(scores, (near, alike), iterations, marginals.reshape(len(unary), -1))
    return out


def _mean_field(
    scores: np.ndarray, lattices: tuple[NumbaLattice, NumbaLattice], iterations: int, marginals: np.ndarray
) -> None:
    """`mean_field` of scores (N, C), −inf beyond the K labels, into marginals (K, N)."""
    count = min(lattice.parts for lattice in lattices)
    room = [lattice.sums(scores.shape[1], count) for lattice in lattices]
    blurred = [np.zeros_like(buffers[0]) for _, _, buffers in room]  # nothing yet
    for iteration in range(iterations + 1):
        near, alike = [
            _Kernel(lattice.vertices, lattice.weights, parts, reach, values)
            for lattice, (parts, reach, _), values in zip(lattices, room, blurred, strict=True)
        ]
        if iteration == iterations:
            mean_field_kernels.finish(scores, near, alike, marginals)
        else:
            mean_field_kernels.update(scores, near, alike)
            blurred = [lattice.blurred(*sums) for lattice, sums in zip(lattices, room, strict=True)]
