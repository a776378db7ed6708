"""Reading a data set that the stage `ingest` packed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from wsss_core.stage import InputError
from wsss_core.stores import Store

HELD_OUT = ("val", "test")
CUE_COLUMNS = ["image_id", "dataset_row", "split", "height", "width", "labels", "class_ids", "n_classes", "n_labels"]


class Dataset:
    """Photos, tags, masks and boxes. Opening reads one small file; the rest is read when it is asked for.

    Attributes:
        classes: class names by id, background first.
        mean_colour: mean red, green, blue of the photos to train on, uint8 (3,).

    Raises:
        InputError: no data set at `path`.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        try:
            facts = json.loads((self.path / "dataset.json").read_text(encoding="utf-8"))
        except OSError:
            raise InputError(f"{self.path}: no data set here (no dataset.json); run the stage `ingest`") from None
        except ValueError as error:
            raise InputError(f"{self.path / 'dataset.json'}: damaged ({error}); run the stage `ingest` again") from None
        self.classes: tuple[str, ...] = tuple(facts["classes"])
        self.mean_colour = np.array(facts["mean_colour"], np.uint8)

    def __len__(self) -> int:
        return len(self._photos)

    def supervision(self, *, masks: bool, boxes: bool) -> list[Path]:
        """Where the photos lie, and masks and boxes as asked for, as far as there are any: what a run follows from."""
        wanted = {"photos": True, "masks": masks, "boxes.parquet": boxes}
        return [path for name, asked in wanted.items() if asked and (path := self.path / name).exists()]

    @cached_property
    def _photos(self) -> Store:
        return Store(self.path / "photos")

    @cached_property
    def _masks(self) -> Store | None:
        return Store(self.path / "masks") if (self.path / "masks").is_dir() else None

    @property
    def table(self) -> pd.DataFrame:
        """One row per image, in the order of the photos."""
        return self._photos.table

    @cached_property
    def boxes(self) -> pd.DataFrame:
        """One row per annotated object; pixel coordinates 0-based and half-open."""
        return pd.read_parquet(self.path / "boxes.parquet")

    def boxes_of(self, image_id: str) -> tuple[np.ndarray, np.ndarray]:
        """An image's boxes, int64 (n, 4) of xmin, ymin, xmax, ymax, and their class ids, int64 (n,)."""
        table = self.boxes.iloc[self._rows_of_boxes.get(image_id, np.zeros(0, np.int64))]
        return table[["xmin", "ymin", "xmax", "ymax"]].to_numpy(np.int64), table["class_id"].to_numpy(np.int64)

    @cached_property
    def _rows_of_boxes(self) -> dict[str, np.ndarray]:
        return {str(image_id): rows for image_id, rows in self.boxes.groupby("image_id").indices.items()}

    def photo(self, row: int) -> np.ndarray:
        """The photo in a row of the table, RGB uint8 (H, W, 3)."""
        return self.photos([row])[0]

    def photos(self, rows: Sequence[int]) -> list[np.ndarray]:
        """The photos in these rows; each stretch of consecutive rows is read in one go.

        Raises:
            ValueError: a row outside the table.
        """
        if len(rows) and not 0 <= min(rows) <= max(rows) < len(self):
            raise ValueError(f"{self.path}: expected rows 0 to {len(self) - 1}, got {min(rows)} to {max(rows)}")
        decoded = []
        for _, stretch in groupby(enumerate(rows), key=lambda pair: pair[1] - pair[0]):
            members = [row for _, row in stretch]
            encoded = self._photos.read_rows("photo", range(members[0], members[-1] + 1))
            decoded += [self._decoded(row, data) for row, data in zip(members, encoded, strict=True)]
        return decoded

    def _decoded(self, row: int, data: np.ndarray) -> np.ndarray:
        photo = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if photo is None:
            image_id = self.table["image_id"].iloc[row]
            raise InputError(
                f"{self.path}: {image_id}: this OpenCV cannot read the photo; run the stage `ingest` again"
            )
        return cv2.cvtColor(photo, cv2.COLOR_BGR2RGB)

    def mask(self, image_id: str) -> np.ndarray | None:
        """The true mask, class ids with 255 = ignore, uint8 (H, W); None if the image has none."""
        if self._masks is None or image_id not in self._masks:
            return None
        return self._masks.read("labels", self._masks.row_of(image_id))

    @cached_property
    def masked_images(self) -> frozenset[str]:
        """The images that have a mask."""
        return frozenset() if self._masks is None else frozenset(self._masks.table["image_id"])

    @property
    def training_splits(self) -> list[str]:
        """All splits but val and test."""
        return [split for split in self.table["split"].unique() if split not in HELD_OUT]

    @property
    def held_out_splits(self) -> list[str]:
        """val and test, as far as they exist; all splits where neither does."""
        splits = list(self.table["split"].unique())
        return [split for split in splits if split in HELD_OUT] or splits

    def cue_table(self, splits: Sequence[str] | None = None) -> pd.DataFrame:
        """What the index of a cue starts from: the images of these splits (None: all) with their rows in `table`.

        Raises:
            InputError: a split that the data set does not have.
        """
        table = self.table.rename(columns={"row": "dataset_row"})[CUE_COLUMNS]
        if splits is None:
            return table
        known = list(table["split"].unique())
        for split in splits:
            if split not in known:
                raise InputError(f"{self.path}: no split {split!r}; there are: {', '.join(known)}")
        return table[table["split"].isin(list(splits))].reset_index(drop=True)
