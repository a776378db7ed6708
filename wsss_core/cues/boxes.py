"""Label maps from bounding boxes: the boxes themselves, or what a dense CRF cuts out of each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from wsss_core.data.boxes import central, inside, largest_first

# What the CRF is told of pixels that are forced; the result is held to them besides.
CERTAIN = 1 - 1e-5


def box_rect(boxes: NDArray, class_ids: NDArray, *, height: int, width: int) -> NDArray:
    """Every pixel gets the class of the smallest box it lies in (Papandreou et al. 2015, §3.3, Bbox-Rect).

    Args:
        boxes: integers (n, 4), xmin, ymin, xmax, ymax in pixels, 0-based, half-open; clipped at the image's border.
        class_ids: integers (n,) in 1..254.
        height, width: of the image.

    Returns:
        Labels, uint8 (H, W); 0 outside all boxes.

    Raises:
        ValueError: a box that is empty or outside the image, or numbers of boxes and classes that differ.
    """
    labels = np.zeros((height, width), np.uint8)
    for box, class_id in largest_first(boxes, class_ids, height=height, width=width):
        labels[inside(box)] = class_id
    return labels


def box_seg(
    photo: NDArray,
    boxes: NDArray,
    class_ids: NDArray,
    *,
    crf: Callable[[NDArray, NDArray], NDArray],
    center: float = 0.2,
) -> NDArray:
    """Foreground and background of every box by a dense CRF (Papandreou et al. 2015, §3.3, Bbox-Seg).

    The box's central part is forced to foreground and all outside the box to background; a pixel that several boxes
    claim gets the class of the smallest.

    Args:
        photo: RGB uint8 (H, W, 3).
        boxes, class_ids: see `box_rect`.
        crf: marginals of an image and probabilities (2, H, W), such as `DenseCRF`.
        center: α, the share of the box's area that is forced to foreground, in (0, 1].

    Returns:
        Labels, uint8 (H, W).

    Raises:
        ValueError: as `box_rect`, or α out of range.
    """
    if not 0 < center <= 1:
        raise ValueError(f"expected a center in (0, 1], got {center}")
    height, width = photo.shape[:2]
    labels = np.zeros((height, width), np.uint8)
    for box, class_id in largest_first(boxes, class_ids, height=height, width=width):
        foreground = np.full((height, width), 1 - CERTAIN, np.float32)
        foreground[inside(box)] = 0.5
        forced = inside(central(box, center))
        foreground[forced] = CERTAIN
        marginals = crf(photo, np.stack([1 - foreground, foreground]))
        is_object = marginals[1] > marginals[0]
        is_object[forced] = True
        claimed = labels[inside(box)]
        claimed[is_object[inside(box)]] = class_id
    return labels
