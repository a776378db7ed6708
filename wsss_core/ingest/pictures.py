"""Decoding photos and masks for checking, and masks for packing."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

IGNORE = 255
SALIENT = 127  # grey values above it are the object: saliency masks have soft edges


def decode_photo(data: bytes) -> np.ndarray:
    """An encoded photo → BGR uint8 (H, W, 3), turned by its EXIF orientation.

    Raises:
        ValueError: not a picture, truncated, damaged, or of a kind that OpenCV does not read.
    """
    _load(data, draft=True)
    try:
        photo = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        photo = None
    if photo is None:
        raise ValueError("a kind of picture that OpenCV does not read; save it as JPEG or PNG")
    return np.asarray(photo)


def decode_mask(data: bytes, *, saliency: bool) -> np.ndarray:
    """An encoded mask → class ids in the source's order, 255 = ignore, uint8 (H, W).

    Args:
        data: a palette or grey PNG; the palette's index is the class id. For `saliency` any picture.
        saliency: turn grey values into 0 and 1.

    Raises:
        ValueError: unreadable, in colours, or a value above 255.
    """
    mask = _load(data)
    if saliency:
        return (np.asarray(mask.convert("L")) > SALIENT).astype(np.uint8)
    if mask.mode not in ("P", "L", "1", "I", "I;16"):
        raise ValueError(
            f"mask in colours (mode {mask.mode}); save it as palette or grey PNG whose values are class ids"
        )
    ids = np.asarray(mask)
    if ids.max(initial=0) > IGNORE:
        raise ValueError(f"mask value {ids.max()}; class ids end at 254, 255 is ignore")
    return ids.astype(np.uint8)


def _load(data: bytes, *, draft: bool = False) -> Image.Image:
    """Pillow refuses truncated files, which some versions of OpenCV fill up with grey and let pass."""
    try:
        picture = Image.open(io.BytesIO(data))
        if draft:
            picture.draft("L", (1, 1))  # all of a JPEG's bytes are still read, at an eighth of its size
        picture.load()
    except UnidentifiedImageError:
        raise ValueError("not a picture; replace the file or remove the image from the list") from None
    except Exception:  # on damaged bytes the decoders raise whatever they ran into
        raise ValueError("truncated or damaged picture; fetch the file again or remove the image") from None
    return picture
