"""The dense CRF's inference on the CPU."""

from collections.abc import Iterable

import numpy as np

from wsss_core.crf import filter_kernels
from wsss_core.crf.mean_field import FLOOR, mean_field, normalised
from wsss_core.crf.numba_lattice import NumbaLattice
from wsss_core.crf.threads import one_at_a_time


def infer(
    probabilities: np.ndarray,
    spatial: np.ndarray,
    bilateral: Iterable[np.ndarray],
    weights: tuple[float, float],
    iterations: int,
) -> np.ndarray:
    """Marginals float32 (B, K, H, W) for features (N, 2), and (N, 5) of each image."""
    ones = np.ones((len(spatial), 1), np.float32)
    spatial_kernel = normalised(NumbaLattice(spatial), ones, weights[0])
    out = np.empty(probabilities.shape, np.float32)
    for unary, features, marginals in zip(probabilities, bilateral, out, strict=True):
        kernels = (spatial_kernel, normalised(NumbaLattice(features), ones, weights[1]))
        scores = np.empty((len(spatial), len(unary)), np.float32)
        np.log(np.maximum(unary, FLOOR).reshape(len(unary), -1).T, out=scores)
        marginals[...] = mean_field(scores, kernels, _softmax, iterations).T.reshape(unary.shape)
    return out


def _softmax(scores: np.ndarray) -> np.ndarray:
    out = np.empty_like(scores)
    with one_at_a_time:
        filter_kernels.softmax(scores, out)
    return out
