"""A project in miniature: four photos of 4 × 2 pixels, two classes, one of them with a hostile name."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from wsss_core.stores import ArraySpec, write_store

CLASSES = ["background", "<b>cat</b>", "dog"]
SPLITS = {"a": "val", "b": "val", "c": "train", "d": "train"}
CLASS_IDS = {"a": [1], "b": [2], "c": [2], "d": [1, 2]}
MASKS = {
    "a": [[0, 0, 1, 1], [0, 0, 1, 255]],
    "b": [[2, 2, 2, 2], [2, 2, 2, 2]],
    "c": [[0, 2, 2, 255], [255, 255, 255, 255]],
}
SPECS = {
    "labels": ArraySpec.labels((2, 4)),
    "posterior": ArraySpec.soft(("label", "y", "x"), (3, 2, 4)),
    "attention": ArraySpec.soft(("class", "y", "x"), (2, 2, 4)),
    "saliency": ArraySpec.soft(("step", "y", "x"), (2, 2, 4)),
}


def index(image_ids: list[str]) -> pd.DataFrame:
    ids = [CLASS_IDS[i] for i in image_ids]
    return pd.DataFrame(
        {
            "image_id": image_ids,
            "split": [SPLITS[i] for i in image_ids],
            "height": 2,
            "width": 4,
            "class_ids": ids,
            "n_classes": [len(i) for i in ids],
            "n_labels": [len(i) + 1 for i in ids],
        }
    )


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a store of one array below `data/`, two images per shard; statistics are columns of its index."""
    monkeypatch.chdir(tmp_path)

    def write(
        name: str, array: str, values: Mapping[str, list], classes: list[str] = CLASSES, **statistics: Mapping
    ) -> Path:
        path = Path("data") / name
        write_store(
            path,
            lambda rows: (
                {array: [np.array(values[i], np.uint8) for i in rows["image_id"]]},
                [{name: column[i] for name, column in statistics.items()} for i in rows["image_id"]],
            ),
            table=index(list(values)),
            arrays={array: SPECS[array]},
            key="x",
            shard_rows=2,
            attributes={"classes": classes},
        )
        return path

    return write


@pytest.fixture
def dataset(store: Callable[..., Path]) -> Callable[..., Path]:
    """Write a data set as the stage ingest does, with or without masks."""

    def write(*, masks: bool = True) -> Path:
        path = Path("data/dataset")
        noise = np.random.default_rng(0).integers(0, 256, (len(SPLITS), 2, 4, 3), np.uint8)
        photos = [cv2.imencode(".png", photo)[1] for photo in noise]
        table = index(list(SPLITS)).assign(has_mask=[masks and i in MASKS for i in SPLITS])
        table["n_bytes"] = [len(photo) for photo in photos]
        write_store(
            path / "photos",
            lambda rows: ({"photo": [photos[i] for i in rows.index]}, [{}] * len(rows)),
            table=table,
            arrays={"photo": ArraySpec(("byte",), (int(table["n_bytes"].max()),))},
            key="x",
            attributes={"classes": CLASSES},
        )
        if masks:
            store("dataset/masks", "labels", MASKS)
        facts = {"name": "dataset", "classes": CLASSES, "mean_colour": [1, 2, 3]}
        (path / "dataset.json").write_text(json.dumps(facts))
        return path

    return write
