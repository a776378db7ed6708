"""The instances of one image as a JSON in COCO's form has them: kept as text, boxed, drawn into a mask."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wsss_core.ingest.annotation import inside_photo
from wsss_core.ingest.pictures import IGNORE
from wsss_core.ingest.segmentation import area, pixels, run_lengths


class Instance(NamedTuple):
    """An entry of the list `annotations`.

    Attributes:
        number: its place in the list.
        class_id: in the source's order; 0 if its category counts as background.
        crowd: many things in one outline, so neither a box nor a tag, and ignored in the mask.
        bbox, segmentation: as they stand there, unchecked.
    """

    number: int
    class_id: int
    crowd: bool
    bbox: Any
    segmentation: Any


def to_text(height: int, width: int, instances: Sequence[Instance]) -> bytes:
    """An image's size as the JSON has it and its instances, for `from_text`."""
    return json.dumps([height, width, instances], separators=(",", ":")).encode()


def from_text(data: bytes) -> tuple[int, int, list[Instance]]:
    """Height, width and instances from what `to_text` made."""
    height, width, instances = json.loads(data)
    return height, width, [Instance(*instance) for instance in instances]


def box_of(bbox: Any, height: int, width: int) -> tuple[int, int, int, int]:
    """All pixels that `[x, y, width, height]` touches, 0-based and half-open: xmin, ymin, xmax, ymax.

    Raises:
        ValueError: not four numbers, empty, or it leaves the photo by more than one pixel.
    """
    four = isinstance(bbox, list) and len(bbox) == 4
    if not (four and all(type(edge) in (int, float) and abs(edge) < 1e9 for edge in bbox)):
        raise ValueError(f"{bbox!r} is not [x, y, width, height]")
    x, y, across, down = bbox
    edges = (math.floor(x), math.floor(y), math.ceil(x + across), math.ceil(y + down))
    return inside_photo(edges, bbox, height, width)


def draw(data: bytes) -> np.ndarray:
    """The mask of an image whose instances were checked: class ids in the source's order, uint8 (H, W).

    Crowds are 255. Where instances overlap, the one of fewer pixels is on top, at the same number the later one;
    crowds lie below all of them.
    """
    height, width, instances = from_text(data)
    runs = [run_lengths(instance.segmentation, height, width) for instance in instances]
    layers = sorted(zip(instances, runs, strict=True), key=lambda layer: (not layer[0].crowd, -area(layer[1])))
    mask = np.zeros((height, width), np.uint8)
    for instance, run in layers:
        mask[pixels(run)] = IGNORE if instance.crowd else instance.class_id
    return mask
