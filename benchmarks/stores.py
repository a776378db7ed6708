"""A store of soft maps against what the peers do: one npy file per image."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from wsss_core.stores import ArraySpec, StoreWriter, open_store

IMAGES, CLASSES, HEIGHT, WIDTH = 500, 2, 375, 500


def smooth_maps() -> list[np.ndarray]:
    """Maps as smooth as attention is: noise of 24 × 24 enlarged."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (IMAGES, CLASSES, 24, 24), np.uint8)
    return [np.stack([cv2.resize(plane, (WIDTH, HEIGHT)) for plane in planes]) for planes in coarse]


def store_table() -> str:
    maps = smooth_maps()
    order = np.random.default_rng(1).permutation(IMAGES)
    rows = [
        "| form | write s | read in order s | read at random s | MB | files |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, measure in (("npy per image", _npy), ("sharded Zarr store", _store)):
            figures = measure(Path(folder) / name.replace(" ", "_"), maps, order)
            rows.append(f"| {name} | " + " | ".join(figures) + " |")
    return "\n".join(rows)


def _npy(folder: Path, maps: list[np.ndarray], order: np.ndarray) -> list[str]:
    folder.mkdir()
    start = time.perf_counter()
    for i, map_ in enumerate(maps):
        np.save(folder / f"{i}.npy", map_)
    times = [time.perf_counter()]
    for i in range(len(maps)):
        np.load(folder / f"{i}.npy")
    times.append(time.perf_counter())
    for i in order:
        np.load(folder / f"{i}.npy")
    times.append(time.perf_counter())
    return _figures(start, times, folder)


def _store(folder: Path, maps: list[np.ndarray], order: np.ndarray) -> list[str]:
    table = pd.DataFrame(
        {"image_id": [str(i) for i in range(len(maps))], "height": HEIGHT, "width": WIDTH, "n_classes": CLASSES}
    )
    spec = ArraySpec.soft(("class", "y", "x"), (CLASSES, HEIGHT, WIDTH))
    start = time.perf_counter()
    writer = StoreWriter(folder, folder.with_suffix(".work"), table=table, arrays={"maps": spec}, shard_rows=32)
    for shard in writer.todo():
        writer.write(shard, {"maps": [maps[i] for i in writer.rows(shard).index]})
    writer.finish()
    times = [time.perf_counter()]
    store = open_store(folder)
    for begin in range(0, len(maps), 32):
        store.read_rows("maps", range(begin, min(begin + 32, len(maps))))
    times.append(time.perf_counter())
    for i in order:
        store.read("maps", int(i))
    times.append(time.perf_counter())
    return _figures(start, times, folder)


def _figures(start: float, times: list[float], folder: Path) -> list[str]:
    files = [p for p in folder.rglob("*") if p.is_file()]
    spans = [b - a for a, b in zip([start, *times], times, strict=False)]
    return [*(f"{span:.2f}" for span in spans), f"{sum(p.stat().st_size for p in files) / 1e6:.1f}", str(len(files))]
