"""A project in miniature: photos of three classes in an order that is not VOC's, and hand-made label maps of them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_core.data.dataset import Dataset
from wsss_core.ingest import ingest
from wsss_core.stores import ArraySpec, write_store

# Height and width of the photos of val; "t" is of train. Names sort as a-1.png, a.png, b.png.
SIZES = {"b": (3, 5), "a": (4, 2), "a-1": (6, 7)}
CLASSES = ["person", "aeroplane", "cat"]  # ids 1, 2, 3 here; 15, 1, 8 for VOC


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Ingest photos of these sizes into `data/dataset` of an empty project and change to it."""
    monkeypatch.chdir(tmp_path)

    def make(sizes: Mapping[str, tuple[int, int]] = SIZES, classes: list[str] = CLASSES) -> Path:
        root = tmp_path / "photos"
        rows = ["image,label,split"]
        for image_id, size in {**sizes, "t": (2, 2)}.items():
            (root / image_id).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((*size, 3), 9, np.uint8)).save(root / f"{image_id}.png")
            rows.append(f"{image_id}.png,{classes[0]},{'train' if image_id == 't' else 'val'}")
        (root / "labels.csv").write_text("\n".join(rows) + "\n")
        (root / "classes.txt").write_text("\n".join(classes) + "\n")
        source = {"root": str(root), "layout": "csv", "splits": {"train": "train", "val": "val"}}
        ingest(Path("data/dataset"), sources={"mine": source}, workers=1)
        return tmp_path

    return make


@pytest.fixture
def predict(project: Callable[..., Path]) -> Callable[..., Path]:
    """Store label maps as the run `mine` of the project: by array, what `labels_of` gives for an image id and size."""

    def write(run: str = "mine", **labels_of: Callable[[str, tuple[int, int]], np.ndarray]) -> Path:
        dataset = Dataset(Path("data/dataset"))
        table = dataset.cue_table(["val"])
        shape = int(table["height"].max()), int(table["width"].max())

        def compute(rows):
            named = zip(rows["image_id"], zip(rows["height"], rows["width"], strict=True), strict=True)
            images = list(named)
            maps = {name: [make(*image).astype(np.uint8) for image in images] for name, make in labels_of.items()}
            return maps, [{} for _ in images]

        write_store(
            Path("data/predictions") / run,
            compute,
            table=table,
            arrays={name: ArraySpec.labels(shape) for name in labels_of},
            key="x",
            attributes={"classes": list(dataset.classes)},
        )
        return Path("data/predictions") / run

    return write


def stripes(image_id: str, size: tuple[int, int]) -> np.ndarray:
    """Ids 0, 1, 2, 3 along the columns, so that every class is there where there is room."""
    return np.broadcast_to(np.arange(size[1]) % 4, size)
