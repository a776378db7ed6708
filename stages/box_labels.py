"""Label maps of the images that have boxes: the boxes painted, or what a dense CRF cuts out of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd
from numpy.typing import NDArray

from wsss_core.crf import DenseCRF
from wsss_core.cues.boxes import box_rect, box_seg
from wsss_core.cues.mining import label_shares
from wsss_core.data.dataset import Dataset
from wsss_core.stage import InputError, bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, padded, write_store


@dataclass(frozen=True, kw_only=True)
class BoxLabels:
    """A section of `box_labels`; without `splits`, all but val and test.

    Attributes:
        method: `rect` paints the boxes, `seg` segments each by a dense CRF.
        center: α, the share of a box that `seg` forces to foreground.
        crf: of `seg`.
    """

    method: Literal["rect", "seg"] = "seg"
    center: float = 0.2
    crf: DenseCRF = field(default_factory=DenseCRF)
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.center <= 1:
            raise ValueError(f"center must be in (0, 1], got {self.center}")


def main(*, settings: str, dataset: Path, out: Path) -> None:
    where = f"box_labels.{settings}"
    chosen_section = section(load_params(), where)
    chosen, photos = bind(BoxLabels, chosen_section, where), Dataset(dataset)
    table = photos.cue_table(chosen.splits or photos.training_splits)
    table = table[table["image_id"].isin(photos.boxes["image_id"])].reset_index(drop=True)
    if table.empty:
        raise InputError(f"{dataset}: no image to train on has a box; `wsss rows --main-only` leaves such rows out")

    def label(row: pd.Series, photo: NDArray) -> NDArray:
        boxes, class_ids = photos.boxes_of(row["image_id"])
        try:
            if chosen.method == "rect":
                return box_rect(boxes, class_ids, height=photo.shape[0], width=photo.shape[1])
            return box_seg(photo, boxes, class_ids, crf=chosen.crf, center=chosen.center)
        except ValueError as error:
            raise InputError(f"{dataset}: {row['image_id']}: {error}") from None

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, float]]]:
        pictures = photos.photos(rows["dataset_row"].tolist())
        maps = [label(row, photo) for (_, row), photo in zip(rows.iterrows(), pictures, strict=True)]
        return {"labels": maps}, [label_shares(map_) for map_ in maps]

    write_store(
        out,
        compute,
        table=table,
        arrays={"labels": ArraySpec.labels(padded(table, "y", "x"))},
        key=fingerprint(chosen_section, dataset / "photos", dataset / "boxes.parquet"),
        attributes={"classes": list(photos.classes)},
    )


if __name__ == "__main__":
    run(main, "box_labels")
