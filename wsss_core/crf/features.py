"""Feature vectors of an image's pixels, in units of kernel widths, as the dense CRF's two kernels want them."""

import numpy as np


def spatial_features(height: int, width: int, sigma: float) -> np.ndarray:
    """Position of each pixel: float32 (H·W, 2) as (x, y) / sigma."""
    y, x = np.indices((height, width), dtype=np.float32).reshape(2, -1)
    return np.stack([x, y], axis=1) / np.float32(sigma)


def bilateral_features(image: np.ndarray, sigma_xy: float, sigma_rgb: float) -> np.ndarray:
    """Position and colour of each pixel: (H, W, 3) in 0..255 → float32 (H·W, 5)."""
    height, width, _ = image.shape
    out = np.empty((height * width, 5), np.float32)
    out[:, :2] = spatial_features(height, width, sigma_xy)
    for channel in range(3):
        np.divide(image[..., channel].reshape(-1), np.float32(sigma_rgb), out=out[:, 2 + channel])
    return out
