"""Reading a packed data set back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_core.data.dataset import Dataset
from wsss_core.ingest import ingest
from wsss_core.stage import InputError


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Photos 0 to 5 of one colour each, (40 k, 0, 10), width 8 + k; masks of 1 and 4; split val from 4 on."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "photos"
    (root / "masks").mkdir(parents=True)
    rows = ["image,label,split"]
    for k in range(6):
        Image.fromarray(np.full((6, 8 + k, 3), (40 * k, 0, 10), np.uint8)).save(root / f"{k}.png")
        rows.append(f"{k}.png,{'cat' if k % 2 else 'cat;dog'},{'val' if k > 3 else 'train'}")
    for k in (1, 4):
        Image.fromarray(np.full((6, 8 + k), k // 4 + 1, np.uint8)).save(root / "masks" / f"{k}.png")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    source = {"root": str(root), "layout": "csv", "masks": "masks", "splits": {"train": "train", "val": "val"}}
    ingest(Path("data/set"), sources={"mine": source}, workers=1)
    return Dataset(Path("data/set"))


def test_facts(dataset: Dataset) -> None:
    assert dataset.classes == ("background", "cat", "dog") and len(dataset) == 6
    pixels = np.repeat([0, 40, 80, 120], [8, 9, 10, 11])
    assert dataset.mean_colour.tolist() == [round(pixels.mean()), 0, 10] and dataset.mean_colour.dtype == np.uint8
    assert list(dataset.table["image_id"]) == list("012345") and len(dataset.boxes) == 0


def test_photos_are_rgb_at_their_size(dataset: Dataset) -> None:
    photo = dataset.photo(3)
    assert photo.shape == (6, 11, 3) and photo.dtype == np.uint8 and photo[0, 0].tolist() == [120, 0, 10]


def test_photos_keep_the_order_asked_for(dataset: Dataset) -> None:
    rows = [4, 0, 1, 2, 2, 5]
    assert [photo[0, 0, 0] // 40 for photo in dataset.photos(rows)] == rows
    assert [photo.shape[1] - 8 for photo in dataset.photos(np.array(rows))] == rows
    assert dataset.photos([]) == []


@pytest.mark.parametrize("rows", [[-1], [0, 6]])
def test_rows_outside_are_refused(dataset: Dataset, rows: list[int]) -> None:
    with pytest.raises(ValueError, match="expected rows 0 to 5"):
        dataset.photos(rows)


def test_consecutive_rows_are_read_in_one_go(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    store, asked = dataset._photos, []
    read = store.read_rows
    monkeypatch.setattr(store, "read_rows", lambda name, rows: asked.append(rows) or read(name, rows))
    dataset.photos([0, 1, 2, 5, 4])
    assert asked == [range(3), range(5, 6), range(4, 5)]


def test_masks(dataset: Dataset) -> None:
    mask = dataset.mask("4")
    assert mask is not None and mask.shape == (6, 12) and (mask == 2).all()
    assert dataset.mask("0") is None


def test_cue_table_points_back_to_the_photos(dataset: Dataset) -> None:
    table = dataset.cue_table(["val"])
    assert list(table.columns[:5]) == ["image_id", "dataset_row", "split", "height", "width"]
    assert list(table.columns[5:]) == ["labels", "class_ids", "n_classes", "n_labels"]
    assert table["dataset_row"].tolist() == [4, 5] and table.index.tolist() == [0, 1]
    assert [list(ids) for ids in table["class_ids"]] == [[1, 2], [1]]
    assert dataset.cue_table()["dataset_row"].tolist() == list(range(6))
    with pytest.raises(InputError, match="no split 'tset'; there are: train, val"):
        dataset.cue_table(["train", "tset"])


def test_nothing_there_or_damaged(dataset: Dataset) -> None:
    with pytest.raises(InputError, match="no data set here"):
        Dataset(Path("data/other"))
    (dataset.path / "dataset.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        Dataset(dataset.path)
