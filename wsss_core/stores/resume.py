"""The one loop of every map stage: shard after shard, continuing where an interrupted run stopped."""

from __future__ import annotations

import math
import multiprocessing
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track

from wsss_core.stage.output import WORK
from wsss_core.stores.layout import ArraySpec, StoreError
from wsss_core.stores.write import StoreWriter

SHARD_BYTES = 64 * 2**20  # padded; what a shard takes in memory while it is computed is a few times that

Computed = tuple[Mapping[str, Sequence[np.ndarray]], Sequence[Mapping[str, Any]]]


def write_store(
    path: Path,
    compute: Callable[[pd.DataFrame], Computed],
    *,
    table: pd.DataFrame,
    arrays: Mapping[str, ArraySpec],
    key: str,
    shard_rows: int = 32,
    attributes: Mapping[str, Any] | None = None,
    workers: int = 1,
) -> pd.DataFrame:
    """Compute an artifact shard by shard and return its index.

    Finished shards are kept in a work folder outside `path` under `key`, so that a killed stage continues with the
    next shard; work left there under other keys of the same artifact is stale and removed.

    Args:
        path: folder of the artifact; replaced if it exists.
        compute: from a shard's rows to its arrays (one entry per row, true sizes) and one mapping of statistics per
            row. With `workers > 1` it must be picklable.
        table, arrays, shard_rows, attributes: see `StoreWriter`; a shard holds fewer images where they are large.
        key: a `fingerprint` of everything the result depends on.
        workers: processes that compute shards.
    """
    path = Path(path)
    size = sum(math.prod(spec.shape) * np.dtype(spec.dtype).itemsize for spec in arrays.values())
    shard_rows = max(1, min(shard_rows, SHARD_BYTES // size))
    name = str(path).replace("/", ".")
    work = WORK / f"{name}-{key}"
    for stale in WORK.glob(f"{name}-{'?' * len(key)}"):
        if stale != work:
            shutil.rmtree(stale)
    make_writer = partial(
        StoreWriter, path, work, table=table, arrays=arrays, shard_rows=shard_rows, attributes=attributes
    )
    writer = make_writer()
    todo = writer.todo()
    if workers > 1 and len(todo) > 1:
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("forkserver")) as pool:
            done = pool.map(partial(_write_shard, make_writer, compute), todo)
            try:
                for _ in track(done, description=str(path), total=len(todo)):
                    pass
            except BaseException:
                pool.shutdown(cancel_futures=True)  # an interrupted stage does not first finish the queue
                raise
    else:
        for shard in track(todo, description=str(path)):
            writer.write(shard, *compute(writer.rows(shard)))
    if path.exists():
        if not path.is_dir():
            raise StoreError(f"{path}: is a file, not an artifact")
        shutil.rmtree(path)
    return writer.finish()


def _write_shard(
    make_writer: Callable[[], StoreWriter], compute: Callable[[pd.DataFrame], Computed], shard: int
) -> None:
    writer = make_writer()
    writer.write(shard, *compute(writer.rows(shard)))
