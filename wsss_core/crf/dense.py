"""The fully connected CRF with Gaussian edge potentials (Krähenbühl & Koltun 2011), by mean field."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from wsss_core.crf.features import bilateral_features, spatial_features

_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class DenseCRF:
    """Potts model with a spatial and a bilateral Gaussian kernel, each normalised symmetrically over the image.

    Args:
        gaussian_sigma: width of the spatial kernel, in pixels.
        gaussian_weight: its weight.
        bilateral_xy: width of the bilateral kernel in space, in pixels.
        bilateral_rgb: its width in colour, in 0..255.
        bilateral_weight: its weight.
        iterations: of mean field.

    Raises:
        ValueError: a width that is not positive, a negative weight or number of iterations.

    Example:
        >>> image = np.zeros((4, 4, 3), np.uint8)
        >>> probabilities = np.full((2, 4, 4), 0.5, np.float32)
        >>> probabilities[:, 0, 0] = 0.9, 0.1
        >>> int(DenseCRF()(image, probabilities).argmax(0).max())  # the others follow the pixel that knows
        0
    """

    gaussian_sigma: float = 3.0
    gaussian_weight: float = 3.0
    bilateral_xy: float = 80.0
    bilateral_rgb: float = 13.0
    bilateral_weight: float = 10.0
    iterations: int = 10

    def __post_init__(self) -> None:
        for name in ("gaussian_sigma", "bilateral_xy", "bilateral_rgb"):
            if not getattr(self, name) > 0:
                raise ValueError(f"expected {name} > 0, got {getattr(self, name)}")
        for name in ("gaussian_weight", "bilateral_weight", "iterations"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"expected {name} ≥ 0, got {getattr(self, name)}")

    def __call__(self, image: Any, probabilities: Any) -> Any:
        """Marginals after mean field.

        Args:
            image: RGB uint8 (H, W, 3), numpy or torch.
            probabilities: float (K, H, W) in [0, 1], K ≥ 2, that sum to 1; numpy, or torch on any device.

        Returns:
            float32 (K, H, W) that sum to 1, in the library and on the device of `probabilities`.

        Raises:
            ValueError: sizes that differ, fewer than 2 labels, probabilities that are negative or do not sum to 1.
        """
        return self.batch(image[None], probabilities[None])[0]

    def batch(self, images: Any, probabilities: Any) -> Any:
        """The same for images (B, H, W, 3) and probabilities (B, K, H, W); the spatial kernel is built once."""
        _check(images, probabilities)
        images = np.asarray(images) if isinstance(images, np.ndarray) else images.cpu().numpy()
        _, height, width, _ = images.shape
        spatial = spatial_features(height, width, self.gaussian_sigma)
        bilateral = (bilateral_features(image, self.bilateral_xy, self.bilateral_rgb) for image in images)
        weights = (self.gaussian_weight, self.bilateral_weight)
        # Numba and torch are loaded by the first CRF that runs, not by every stage that may run one.
        if isinstance(probabilities, np.ndarray):
            from wsss_core.crf.infer_numba import infer

            return infer(probabilities, spatial, bilateral, weights, self.iterations)
        from wsss_core.crf.infer_torch import infer as infer_torch

        return infer_torch(probabilities, spatial, bilateral, weights, self.iterations)


def _check(images: Any, probabilities: Any) -> None:
    if images.ndim != 4 or images.shape[-1] != 3 or str(images.dtype).removeprefix("torch.") != "uint8":
        raise ValueError(f"expected uint8 images (H, W, 3), got {images.dtype} {tuple(images.shape[1:])}")
    if probabilities.ndim != 4 or probabilities.shape[1] < 2:
        raise ValueError(f"expected probabilities (K, H, W) of at least 2 labels, got {tuple(probabilities.shape[1:])}")
    if probabilities.shape[0] != images.shape[0] or probabilities.shape[2:] != images.shape[1:3]:
        raise ValueError(
            f"expected probabilities of the image's size {tuple(images.shape[1:3])}, "
            f"got {tuple(probabilities.shape[2:])} ({images.shape[0]} images, {probabilities.shape[0]} maps)"
        )
    smallest, sums = float(probabilities.min()), probabilities.sum(1)
    if not smallest >= 0:
        raise ValueError(f"expected probabilities ≥ 0, got {smallest}")
    low, high = float(sums.min()), float(sums.max())
    if not (low >= 1 - _SUM_TOLERANCE and high <= 1 + _SUM_TOLERANCE):
        raise ValueError(f"expected probabilities that sum to 1 over labels, got sums from {low:.4g} to {high:.4g}")
