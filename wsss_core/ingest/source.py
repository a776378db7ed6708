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


@dataclass(frozen=True)
class Source:
    """A folder to read from.

    Attributes:
        root: the folder, relative to the project's root.
        layout: `voc` (JPEGImages, ImageSets/Segmentation, Annotations, masks as PNG of class ids), `csv` (pictures and
            a table `image,label[,split]`, several labels separated by `;`) or `saliency` (JPEGImages, ImageSets, grey
            masks of what stands out).
        splits: from the split's name here to a list of the source (`voc`, `saliency`: a file of image ids or of pairs
            of paths; `csv`: a value of the column `split`); `*` takes all photos.
        tags: layout `voc`: where the labels come from, `json` (image_labels.json), `xml` (the default) or `masks`.
        csv: layout `csv`: the table's name, `labels.csv` by default.
        masks: folder of the masks, `<image id>.png` each. By default SegmentationClass for `voc` where it exists,
            SaliencyMasks for `saliency`, none for `csv`.

    Raises:
        ValueError: a key that the layout does not know, or splits that map no name to a list.
    """

    root: Path
    layout: Literal["voc", "csv", "saliency"]
    splits: dict[str, str]
    tags: Literal["json", "xml", "masks"] | None = None
    csv: str | None = None
    masks: str | None = None

    def __post_init__(self) -> None:
        if self.tags is not None and self.layout != "voc":
            raise ValueError(f"tags is for layout voc, not {self.layout}; remove it")
        if self.csv is not None and self.layout != "csv":
            raise ValueError(f"csv is for layout csv, not {self.layout}; remove it")
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
