"""What an artifact looks like on disk; shared by the writer and the reader."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from wsss_core.stage import InputError

ARRAYS = "store.zarr"
INDEX = "index.parquet"
MEANING = "store.json"
FORMAT = 1

# The index column that holds an image's true length along a padded dimension; other dimensions are never cropped.
LENGTH_COLUMNS = {"y": "height", "x": "width", "class": "n_classes", "label": "n_labels", "byte": "n_bytes"}


class StoreError(InputError):
    """An artifact is missing, incomplete, or asked to hold what it must not."""


@dataclass(frozen=True)
class ArraySpec:
    """One padded stack of an artifact.

    Attributes:
        dims: names of the axes after the row, e.g. `("class", "y", "x")`.
        shape: padded length of each of them, the maximum over the images.
        dtype: numpy dtype name.
        fill: value outside an image's true size; 255 for label maps.
        scale: true value = stored × scale, for soft maps; None where the stored value is meant.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str = "uint8"
    fill: int = 0
    scale: float | None = None

    def __post_init__(self) -> None:
        if len(self.dims) != len(self.shape):
            raise ValueError(f"dims {self.dims} and shape {self.shape} differ in length")
        if min(self.shape, default=1) < 1:
            raise ValueError(f"shape {self.shape} has an empty axis")

    def attributes(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key in ("fill", "scale")}

    @staticmethod
    def soft(dims: tuple[str, ...], shape: tuple[int, ...]) -> ArraySpec:
        """A map of scores in [0, 1], stored as uint8 / 255."""
        return ArraySpec(dims, shape, "uint8", 0, 1 / 255)

    @staticmethod
    def labels(shape: tuple[int, ...]) -> ArraySpec:
        """A label map: class ids with 255 = ignore, also outside the image."""
        return ArraySpec(("y", "x"), shape, "uint8", 255)


def padded(table: pd.DataFrame, *dims: str) -> tuple[int, ...]:
    """What these dimensions must be long to hold every image of the table: the longest of each.

    Raises:
        StoreError: no image.
    """
    if table.empty:
        raise StoreError("no image is left to store; check the section's `splits`, and what it is made from")
    return tuple(int(table[LENGTH_COLUMNS[dim]].max()) for dim in dims)


def quantise(scores: np.ndarray) -> np.ndarray:
    """Scores in [0, 1] → uint8, rounded to the nearest of 256 steps."""
    return np.rint(np.clip(scores, 0.0, 1.0) * 255).astype(np.uint8)
