"""Small pictures as data URIs, so that the page is one file."""

from __future__ import annotations

import base64

import cv2
import numpy as np

LOSSLESS = 101  # OpenCV's WebP quality above 100


def shown_size(image: np.ndarray, side: int) -> tuple[int, int]:
    """Width and height on the page of an image (H, W, …) whose longer side is shown as `side` pixels."""
    scale = side / max(image.shape[:2])
    return max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))


def shrink(image: np.ndarray, side: int, *, smooth: bool) -> np.ndarray:
    """Make the longer side `side` pixels where it is longer; the page enlarges what is smaller.

    Args:
        image: uint8 (H, W) or (H, W, 3).
        smooth: average pixels (photos, soft maps) or pick them (class ids).
    """
    size = shown_size(image, min(side, max(image.shape[:2])))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if smooth else cv2.INTER_NEAREST)


def photo_uri(photo: np.ndarray) -> str:
    """An RGB uint8 picture as a JPEG data URI."""
    return _uri(photo, "jpeg", ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 82])


def soft_uri(heat: np.ndarray) -> str:
    """An RGB uint8 picture without fine detail as a WebP data URI."""
    return _uri(heat, "webp", ".webp", [cv2.IMWRITE_WEBP_QUALITY, 75])


def flat_uri(painted: np.ndarray) -> str:
    """An RGB uint8 picture of few colours as a lossless WebP data URI."""
    return _uri(painted, "webp", ".webp", [cv2.IMWRITE_WEBP_QUALITY, LOSSLESS])


def _uri(picture: np.ndarray, kind: str, suffix: str, options: list[int]) -> str:
    done, encoded = cv2.imencode(suffix, np.ascontiguousarray(picture[..., ::-1]), options)
    if not done:
        raise ValueError(f"cannot encode a picture of shape {picture.shape} as {kind}")
    return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}"
