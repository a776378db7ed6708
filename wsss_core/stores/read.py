"""Reading an artifact in pandas, numpy or xarray."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import zarr

from wsss_core.stores.layout import ARRAYS, FORMAT, INDEX, LENGTH_COLUMNS, MEANING, StoreError

if TYPE_CHECKING:
    import xarray


class Store:
    """One finished artifact.

    Attributes:
        table: one row per image (pandas), the cue's statistics as columns.
        meaning: the contents of `store.json`, such as `classes`.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        try:
            self.meaning: dict[str, Any] = json.loads((self.path / MEANING).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise StoreError(f"{self.path}: no finished artifact here (no {MEANING}); run its stage") from None
        except ValueError as error:
            raise StoreError(
                f"{self.path / MEANING}: damaged ({error}); remove {self.path} and run its stage"
            ) from None
        if self.meaning.get("format") != FORMAT:
            raise StoreError(f"{self.path}: format {self.meaning.get('format')}, this version reads {FORMAT}")

    @cached_property
    def table(self) -> pd.DataFrame:
        return pd.read_parquet(self.path / INDEX)

    @cached_property
    def arrays(self) -> dict[str, zarr.Array]:
        """The padded stacks as they lie on disk; nothing is read until they are indexed."""
        return {name: zarr.open_array(self.path / ARRAYS / name, mode="r") for name in self.meaning["arrays"]}

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {image_id: row for row, image_id in enumerate(self.table["image_id"])}

    @cached_property
    def _lengths(self) -> dict[str, list[int]]:
        return {d: self.table[c].tolist() for d, c in LENGTH_COLUMNS.items() if c in self.table}

    def __len__(self) -> int:
        return int(self.meaning["images"])

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._rows

    def row_of(self, image_id: str) -> int:
        """The row of an image; a KeyError that names the store if it is not there."""
        try:
            return self._rows[image_id]
        except KeyError:
            raise KeyError(f"{self.path}: no image {image_id!r}") from None

    def __getitem__(self, image_id: str) -> dict[str, np.ndarray]:
        """All arrays of an image as stored, cropped to its true size."""
        row = self.row_of(image_id)
        return {name: self.read(name, row) for name in self.arrays}

    def read(self, name: str, row: int) -> np.ndarray:
        """One array of the image in a row, as stored, cropped to its true size."""
        return self._crop(name, row, np.asarray(self.arrays[name][row]))

    def read_rows(self, name: str, rows: range) -> list[np.ndarray]:
        """One array of consecutive images, read in one go: the way to walk a store by shards."""
        block = np.asarray(self.arrays[name][rows.start : rows.stop])
        return [self._crop(name, row, padded) for row, padded in zip(rows, block, strict=True)]

    def _crop(self, name: str, row: int, padded: np.ndarray) -> np.ndarray:
        lengths = (self._lengths.get(d) for d in self.meaning["arrays"][name])
        return padded[tuple(slice(None) if length is None else slice(length[row]) for length in lengths)]

    def to_xarray(self) -> xarray.Dataset:
        """The padded stacks as a lazily read `xarray.Dataset`, soft maps still as stored (needs the extra `xarray`)."""
        import xarray

        dataset = xarray.open_zarr(self.path / ARRAYS, consolidated=False, chunks=None, mask_and_scale=False)
        return dataset.assign_coords(image=self.table["image_id"].to_numpy(dtype=object))


def open_store(name: str | Path) -> Store:
    """Open an artifact by the name of its stage (`"attention/fcan"`) or by its path.

    A name is looked up below `data/` of the project that holds the working directory.

    Raises:
        StoreError: nothing there, or not finished.
    """
    path = Path(name)
    if not (path / MEANING).is_file() and not path.is_absolute():
        here = Path.cwd()
        root = next((folder for folder in (here, *here.parents) if (folder / "dvc.yaml").is_file()), here)
        path = root / "data" / name
        if not path.is_dir():
            known = sorted(str(p.parent.relative_to(root / "data")) for p in (root / "data").glob(f"**/{MEANING}"))
            raise StoreError(f"{name}: no such artifact below {root / 'data'}; there are: {', '.join(known) or 'none'}")
    return Store(path)
