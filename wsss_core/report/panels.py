"""What the page shows of one image: the photo, each artifact's maps, the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsss_core.report.palette import paint_heat, paint_labels
from wsss_core.report.thumbnails import flat_uri, shrink, soft_uri
from wsss_core.stores import Store, StoreError

SHOWN = ("labels", "posterior", "attention", "saliency")


@dataclass(frozen=True)
class Panel:
    """A picture over the photo and its caption; `uri` is None where the artifact does not hold the image."""

    caption: str
    uri: str | None = None


def store_panels(title: str, store: Store | None, image_id: str, classes: Sequence[str], *, thumb: int) -> list[Panel]:
    """The panels of one artifact: one for labels, one for each plane of soft maps.

    Args:
        title: caption; the class or the step of a plane is added to it.
        store: an artifact with an array `labels` (y, x), beside it perhaps `labels_crf` or `affinity` (y, x), or
            `posterior` (label, y, x), `attention` (class, y, x) or `saliency` (step, y, x), all uint8; None where there
            is none yet.
        classes: names of all class ids, background first.
        thumb: longer side of a panel in pixels.

    Raises:
        StoreError: the artifact holds none of these arrays.
    """
    if store is None or image_id not in store:
        return [Panel(title)]
    name = next((name for name in SHOWN if name in store.arrays), None)
    if name is None:
        raise StoreError(f"{store.path}: holds {', '.join(store.arrays)}; the report shows {', '.join(SHOWN)}")
    row = store.row_of(image_id)
    values = store.read(name, row)
    if name == "labels":
        panels = [Panel(title, mask_uri(values, thumb))]
        if "labels_crf" in store.arrays:
            panels.append(Panel(f"{title} + CRF", mask_uri(store.read("labels_crf", row), thumb)))
        if "affinity" in store.arrays:
            panels.append(Panel(f"{title}: affinity", _heat_uri(store.read("affinity", row), thumb)))
        return panels
    if name == "saliency":
        return [Panel(f"{title} S{step}", _heat_uri(plane, thumb)) for step, plane in enumerate(values, start=1)]
    class_ids = [int(class_id) for class_id in store.table["class_ids"].iloc[row]]
    if name == "posterior":
        labels = np.array([0, *class_ids], np.uint8)[values.argmax(axis=0)]
        return [Panel(title, mask_uri(labels, thumb))]
    return [
        Panel(f"{title}: {classes[class_id]}", _heat_uri(plane, thumb))
        for class_id, plane in zip(class_ids, values, strict=True)
    ] or [Panel(title)]


def mask_uri(labels: np.ndarray, thumb: int) -> str:
    """Class ids, uint8 (H, W), as a small painted picture."""
    return flat_uri(paint_labels(shrink(labels, thumb, smooth=False)))


def _heat_uri(scores: np.ndarray, thumb: int) -> str:
    return soft_uri(paint_heat(shrink(scores, thumb, smooth=True)))
