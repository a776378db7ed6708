"""Label maps as indexed PNGs in the palette of PASCAL VOC."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from wsss_core.report.palette import class_colours


def encode_labels(labels: np.ndarray) -> bytes:
    """Class ids, uint8 (H, W), as a PNG of mode P whose index is the class id; the same labels give the same bytes."""
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise ValueError(f"labels: expected uint8 (H, W), got {labels.dtype} {labels.shape}")
    picture = Image.frombytes("P", labels.shape[::-1], np.ascontiguousarray(labels).tobytes())
    picture.putpalette(class_colours().tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def decode_labels(data: bytes, *, height: int, width: int) -> np.ndarray:
    """An indexed PNG in VOC's palette → class ids, uint8 (height, width).

    Raises:
        ValueError: no PNG, damaged, not indexed, of another size, or with a colour that is not VOC's.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=["PNG"])
        if picture.size == (width, height):  # pixels of another size are not worth their memory
            picture.load()
    except Exception:  # on damaged bytes the decoder raises whatever it ran into
        raise ValueError("no PNG, or a damaged one; write it again") from None
    if picture.mode != "P":
        raise ValueError(f"a picture of mode {picture.mode}; save it as an indexed PNG (mode P)")
    if picture.size != (width, height):
        raise ValueError(f"{picture.width}x{picture.height}, the photo is {width}x{height}; save it at that size")
    labels = np.asarray(picture)
    palette = np.array(picture.getpalette() or [], np.uint8).reshape(-1, 3)
    if len(palette) <= labels.max() or (palette != class_colours()[: len(palette)]).any():
        raise ValueError("its palette is not VOC's; save it with the colours of VOC's class ids")
    return labels
