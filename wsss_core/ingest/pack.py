"""Packing the checked images: encoded photos and masks as artifacts, shard by shard from the source's files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from wsss_core.ingest.instances import draw
from wsss_core.ingest.pictures import decode_mask
from wsss_core.ingest.source import Source
from wsss_core.ingest.spool import Span
from wsss_core.stores import ArraySpec, padded, write_store
from wsss_core.stores.resume import Computed

SHARD_BYTES, SHARD_ROWS = 2**25, 64
MASK_COLUMNS = ["image_id", "split", "height", "width", "labels", "class_ids", "n_classes", "n_labels"]


def pack_photos(
    path: Path, table: pd.DataFrame, sources: Mapping[str, Source], *, classes: list[str], key: str, workers: int
) -> None:
    """Write the artifact of the photos' encoded bytes, array `photo` uint8 (byte,)."""
    longest = int(table["n_bytes"].max())
    write_store(
        path,
        partial(_photos, sources),
        table=table,
        arrays={"photo": ArraySpec(("byte",), (longest,))},
        key=key,
        shard_rows=_shard_rows(longest),
        attributes={"classes": classes},
        workers=workers,
    )


def pack_masks(
    path: Path,
    table: pd.DataFrame,
    sources: Mapping[str, Source],
    files: Mapping[str, str | Span],
    remaps: Mapping[str, np.ndarray],
    *,
    classes: list[str],
    key: str,
    workers: int,
) -> None:
    """Write the artifact of the masks, array `labels` uint8 (y, x).

    Args:
        files: by image id, the relative path of the mask or the instances that it is drawn from.
        remaps: by source, from its class ids to the data set's, uint8 (256,).
    """
    shape = padded(table, "y", "x")
    origins = {row.image_id: (row.source, files[row.image_id]) for row in table.itertuples()}
    write_store(
        path,
        partial(_masks, sources, origins, remaps),
        table=table[MASK_COLUMNS],
        arrays={"labels": ArraySpec.labels(shape)},
        key=key,
        shard_rows=_shard_rows(shape[0] * shape[1]),
        attributes={"classes": classes},
        workers=workers,
    )


def _shard_rows(image_bytes: int) -> int:
    return max(1, min(SHARD_ROWS, SHARD_BYTES // image_bytes))


def _photos(sources: Mapping[str, Source], rows: pd.DataFrame) -> Computed:
    paths = (sources[source].root / file for source, file in zip(rows["source"], rows["file"], strict=True))
    return {"photo": [np.frombuffer(path.read_bytes(), np.uint8) for path in paths]}, [{} for _ in range(len(rows))]


def _masks(
    sources: Mapping[str, Source],
    origins: Mapping[str, tuple[str, str | Span]],
    remaps: Mapping[str, np.ndarray],
    rows: pd.DataFrame,
) -> Computed:
    masks = []
    for name, file in (origins[image_id] for image_id in rows["image_id"]):
        if isinstance(file, Span):
            ids = draw(file.read())
        else:
            source = sources[name]
            ids = decode_mask((source.root / file).read_bytes(), saliency=source.layout == "saliency")
        masks.append(remaps[name][ids])
    return {"labels": masks}, [{} for _ in masks]
