"""A source as the user describes it in `params.yaml`, and how its paths are kept inside its root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip

ALL = "*"
OF_LAYOUTS = {
    "tags": ("voc",),
    "csv": ("csv",),
    "masks": ("voc", "csv", "saliency"),
    "images": ("coco",),
    "annotations": ("coco",),
    "classes_map": ("coco",),
}


@dataclass(frozen=True)
class Source:
    """A folder to read from.

    Attributes:
        root: the folder, relative to the project's root.
        layout: `voc` (JPEGImages, ImageSets/Segmentation, Annotations, masks as PNG of class ids), `csv` (pictures and
            a table `image,label[,split]`, several labels separated by `;`), `coco` (folders of pictures, a JSON of
            instances for each) or `saliency` (JPEGImages, ImageSets, grey masks of what stands out).
        splits: from the split's name here to a list of the source (`voc`, `saliency`: a file of image ids or of pairs
            of paths; `csv`: a value of the column `split`), where `*` takes all photos; `coco`: what stands for `{}`
            in `images` and `annotations`, e.g. train2017.
        tags: layout `voc`: where the labels come from, `json` (image_labels.json), `xml` (the default) or `masks`.
        csv: layout `csv`: the table's name, `labels.csv` by default.
        masks: folder of the masks, `<image id>.png` each. By default SegmentationClass for `voc` where it exists,
            SaliencyMasks for `saliency`, none for `csv`.
        images: layout `coco`: the folder of a split's pictures, `{}` by default.
        annotations: layout `coco`: a split's JSON, `annotations/instances_{}.json` by default.
        classes_map: layout `coco`: `voc20` gives COCO's categories the names of VOC's 20 classes, the other 60 become
            background; `voc_names` keeps all 80, those of VOC under its names; by default all under their own.

    Raises:
        ValueError: a key that the layout does not know, or splits that map no name to a list.
    """

    root: Path
    layout: Literal["voc", "csv", "coco", "saliency"]
    splits: dict[str, str]
    tags: Literal["json", "xml", "masks"] | None = None
    csv: str | None = None
    masks: str | None = None
    images: str | None = None
    annotations: str | None = None
    classes_map: Literal["voc20", "voc_names"] | None = None

    def __post_init__(self) -> None:
        for key, layouts in OF_LAYOUTS.items():
            if getattr(self, key) is not None and self.layout not in layouts:
                raise ValueError(f"{key} is for layout {' or '.join(layouts)}, not {self.layout}; remove it")
        if not self.splits:
            raise ValueError("splits is empty; name at least one, e.g. {train: train} or {train: '*'}")
        for split, listed in self.splits.items():
            if not (isinstance(split, str) and isinstance(listed, str) and split and listed):
                raise ValueError(f"splits: {split!r}: {listed!r} is not a name and a list; write both as text")


def inside(root: Path, relative: str) -> bool:
    """Whether a path taken from a data set stays in its root, by its words and after following symbolic links."""
    words = PurePosixPath(relative)
    if words.is_absolute() or ".." in words.parts:
        return False
    try:
        return (root / relative).resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, or no path at all
        return False
