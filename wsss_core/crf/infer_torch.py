"""The dense CRF's inference on tensors: by the torch lattice on a GPU, by the numba kernels on the CPU."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from wsss_core.crf.mean_field import FLOOR, mean_field, normalised
from wsss_core.crf.torch_lattice import TorchLattice


@torch.no_grad()
def infer(
    probabilities: Tensor,
    spatial: np.ndarray,
    bilateral: Iterable[np.ndarray],
    weights: tuple[float, float],
    iterations: int,
) -> Tensor:
    """Marginals float32 (B, K, H, W) on the device of `probabilities`."""
    if probabilities.device.type == "cpu":
        from wsss_core.crf.infer_numba import infer as infer_numba

        return torch.from_numpy(infer_numba(probabilities.numpy(), spatial, bilateral, weights, iterations))
    return infer_on_device(probabilities, spatial, bilateral, weights, iterations)


@torch.no_grad()
def infer_on_device(
    probabilities: Tensor,
    spatial: np.ndarray,
    bilateral: Iterable[np.ndarray],
    weights: tuple[float, float],
    iterations: int,
) -> Tensor:
    """The same by the torch lattice, whatever the device."""
    device = probabilities.device
    ones = torch.ones(len(spatial), 1, device=device)

    def kernel(features: np.ndarray, weight: float) -> TorchLattice:
        return normalised(TorchLattice(torch.as_tensor(features, device=device)), ones, weight)

    spatial_kernel = kernel(spatial, weights[0])
    marginals = []
    for unary, features in zip(probabilities.float(), bilateral, strict=True):
        scores = unary.clamp(min=FLOOR).log().flatten(1).T.contiguous()
        kernels = (spatial_kernel, kernel(features, weights[1]))
        rows = mean_field(scores, kernels, lambda x: torch.softmax(x, dim=1), iterations)
        marginals.append(rows.T.reshape(unary.shape))
    return torch.stack(marginals)
