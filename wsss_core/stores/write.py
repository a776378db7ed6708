"""Writing an artifact: whole shards only, one writer each, and nothing under the final name before all is there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr
from zarr.codecs import ZstdCodec

from wsss_core.stores.layout import ARRAYS, FORMAT, INDEX, LENGTH_COLUMNS, MEANING, ArraySpec, StoreError


class StoreWriter:
    """Writes `path` shard by shard into the work folder `work`; `finish` puts it under its name in one step.

    Several processes may each make a `StoreWriter` with the same arguments and write different shards. A shard that
    is already written, is being written by another process, or is given only in part is refused. After an
    interruption, `todo()` names the shards still missing.

    Args:
        path: final folder of the artifact; must not exist when `finish` is called.
        work: folder for the unfinished artifact, on the same file system.
        table: one row per image, in storage order, with the columns `image_id`, `height`, `width` (and `n_classes`
            or whatever else `LENGTH_COLUMNS` asks of the arrays' dimensions).
        arrays: the stacks by name.
        shard_rows: images per shard.
        attributes: further facts for `store.json`, such as the class names.
    """

    def __init__(
        self,
        path: Path,
        work: Path,
        *,
        table: pd.DataFrame,
        arrays: Mapping[str, ArraySpec],
        shard_rows: int,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        if shard_rows < 1:
            raise ValueError(f"shard_rows must be at least 1, got {shard_rows}")
        if table.empty:
            raise StoreError(f"{path}: no image to store")
        if not table["image_id"].is_unique:
            raise StoreError(
                f"{path}: image_id {table['image_id'][table['image_id'].duplicated()].iloc[0]!r} stands twice"
            )
        self.path, self.work = Path(path), Path(work)
        self.table = table.reset_index(drop=True)
        self.arrays = dict(arrays)
        self.shard_rows = shard_rows
        self.attributes = dict(attributes or {})
        (self.work / "shards").mkdir(parents=True, exist_ok=True)
        with _locked(self.work / "shards" / "create.lock", f"{path}: being created by another process", wait=True):
            if not (self.work / ARRAYS).exists():
                self._create_arrays()
        self._zarr = {name: zarr.open_array(self.work / ARRAYS / name, mode="r+") for name in self.arrays}

    def _create_arrays(self) -> None:
        building = self.work / f"{ARRAYS}.creating"
        shutil.rmtree(building, ignore_errors=True)
        group = zarr.open_group(building, mode="w", zarr_format=3)
        for name, spec in self.arrays.items():
            group.create_array(
                name,
                shape=(len(self.table), *spec.shape),
                chunks=(1, *spec.shape),
                shards=(self.shard_rows, *spec.shape),
                dtype=spec.dtype,
                fill_value=spec.fill,
                dimension_names=("image", *spec.dims),
                attributes=spec.attributes(),
                compressors=ZstdCodec(level=1),
            )
        os.replace(building, self.work / ARRAYS)

    @property
    def n_shards(self) -> int:
        return -(-len(self.table) // self.shard_rows)

    def rows(self, shard: int) -> pd.DataFrame:
        """The table's rows that shard number `shard` holds."""
        if not 0 <= shard < self.n_shards:
            raise ValueError(f"{self.path}: shard {shard} of {self.n_shards}")
        return self.table.iloc[shard * self.shard_rows : (shard + 1) * self.shard_rows]

    def todo(self) -> list[int]:
        """The shards that are not written yet."""
        return [shard for shard in range(self.n_shards) if not self._done(shard).exists()]

    def write(
        self,
        shard: int,
        arrays: Mapping[str, Sequence[np.ndarray]],
        statistics: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Write one whole shard.

        Args:
            shard: its number.
            arrays: for every array, one entry per row of the shard, each of the image's true size.
            statistics: one mapping per row; they become columns of the index.

        Raises:
            StoreError: the shard is given in part, already written, or being written by another process.
        """
        rows = self.rows(shard)
        stacks = {name: self._stack(name, arrays, rows) for name in self.arrays}
        if set(arrays) - set(self.arrays):
            raise StoreError(f"{self.path}: no array named {sorted(set(arrays) - set(self.arrays))[0]!r}")
        if statistics is not None and len(statistics) != len(rows):
            raise StoreError(f"{self.path}: {len(statistics)} statistics for the {len(rows)} images of shard {shard}")
        lock = self.work / "shards" / f"{shard:06d}.lock"
        with _locked(lock, f"{self.path}: shard {shard} is being written by another process"):
            if self._done(shard).exists():
                raise StoreError(f"{self.path}: shard {shard} is already written")
            begin = shard * self.shard_rows
            for name, stack in stacks.items():
                self._zarr[name][begin : begin + len(rows)] = stack
            columns = pd.DataFrame(list(statistics), index=rows.index) if statistics else pd.DataFrame(index=rows.index)
            building = self._done(shard).with_suffix(".building")
            columns.to_parquet(building)
            os.replace(building, self._done(shard))

    def finish(self) -> pd.DataFrame:
        """Put the artifact under its name and return its index.

        Raises:
            StoreError: shards are missing, or the name is taken.
        """
        if missing := self.todo():
            raise StoreError(f"{self.path}: shards {missing} are not written")
        if self.path.exists():
            raise StoreError(f"{self.path}: exists already; remove it first")
        parts = [pd.read_parquet(self._done(shard)) for shard in range(self.n_shards)]
        index = pd.concat([self.table, pd.concat(parts)], axis=1)
        index.to_parquet(self.work / INDEX, index=False)
        meaning = {
            "format": FORMAT,
            "images": len(index),
            "shard_rows": self.shard_rows,
            "arrays": {name: [*spec.dims] for name, spec in self.arrays.items()},
            **self.attributes,
            "digest": _digest(self.work / ARRAYS, self.work / INDEX),
        }
        (self.work / MEANING).write_text(json.dumps(meaning, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(self.work / "shards")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self.work, self.path)
        return index

    def _done(self, shard: int) -> Path:
        return self.work / "shards" / f"{shard:06d}.parquet"

    def _stack(self, name: str, arrays: Mapping[str, Sequence[np.ndarray]], rows: pd.DataFrame) -> np.ndarray:
        spec = self.arrays[name]
        if name not in arrays:
            raise StoreError(f"{self.path}: array {name!r} is missing from the shard")
        items = arrays[name]
        if len(items) != len(rows):
            raise StoreError(f"{self.path}: {name}: {len(items)} images given for a shard of {len(rows)}")
        stack = np.full((len(rows), *spec.shape), spec.fill, spec.dtype)
        lengths = [rows[LENGTH_COLUMNS[d]] if d in LENGTH_COLUMNS else None for d in spec.dims]
        for i, item in enumerate(items):
            true = tuple(
                full if length is None else int(length.iloc[i])
                for full, length in zip(spec.shape, lengths, strict=True)
            )
            if item.shape != true or item.dtype != stack.dtype:
                raise StoreError(
                    f"{self.path}: {name} of image {rows['image_id'].iloc[i]!r} is {item.dtype} {item.shape}, "
                    f"expected {stack.dtype} {true}"
                )
            stack[i][tuple(slice(n) for n in true)] = item
        return stack


@contextmanager
def _locked(path: Path, message: str, *, wait: bool = False) -> Iterator[None]:
    """Hold an advisory lock, which the system drops when the process ends in whatever way."""
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise StoreError(message) from None
        yield


def _digest(*paths: Path) -> str:
    total = hashlib.sha256()
    for path in paths:
        for file in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
            total.update(str(file.relative_to(path.parent)).encode())
            with open(file, "rb") as opened:
                total.update(hashlib.file_digest(opened, "sha256").digest())
    return total.hexdigest()
