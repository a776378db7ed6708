"""What `ingest` writes, from every layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from wsss_core.ingest import VOC_CLASSES, ingest
from wsss_core.stage import InputError
from wsss_core.stores import Store, StoreWriter

OUT = Path("data/set")
BOTH = {"train": "train", "val": "val"}


def _source(root: Path, layout: str = "voc", splits: dict[str, str] = BOTH, **more: str) -> dict:
    return {"root": str(root), "layout": layout, "splits": dict(splits), **more}


def _index(out: Path = OUT) -> pd.DataFrame:
    return pd.read_parquet(out / "index.parquet").set_index("image_id")


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_everything_of_a_voc_folder(voc: Path) -> None:
    ingest(OUT, sources={"mine": _source(voc)}, workers=1)
    photos, masks = Store(OUT / "photos"), Store(OUT / "masks")
    assert list(photos.table.columns[:5]) == ["image_id", "row", "split", "source", "file"]
    assert list(photos.table.columns[5:9]) == ["height", "width", "labels", "class_ids"]
    assert list(photos.table.columns[9:]) == ["n_classes", "n_labels", "n_bytes", "has_mask"]
    a = photos.table.iloc[0]
    assert (a.image_id, a.row, a.split, a.source, a.file) == ("a", 0, "train", "mine", "JPEGImages/a.jpg")
    assert (a.height, a.width, a.n_classes, a.n_labels, a.has_mask) == (6, 8, 2, 3, True)
    assert list(a.labels) == ["cat", "dog"] and list(a.class_ids) == [1, 2]
    for image_id in "abcd":
        assert photos[image_id]["photo"].tobytes() == (voc / "JPEGImages" / f"{image_id}.jpg").read_bytes()
    assert list(masks.table["image_id"]) == ["a", "d"]
    assert masks["a"]["labels"][:, 0].tolist() == [1, 2, 3, 255, 0, 0]
    boxes = pd.read_parquet(OUT / "boxes.parquet")
    assert boxes.iloc[:, :7].values.tolist() == [
        ["a", 1, "cat", 0, 0, 8, 6],
        ["a", 2, "dog", 2, 1, 4, 5],
        ["b", 2, "dog", 1, 1, 8, 6],
        ["d", 3, "cow", 0, 2, 8, 3],
    ]
    assert json.loads((OUT / "dataset.json").read_text()) == {
        "name": "set",
        "classes": ["background", "cat", "dog", "cow"],
        "mean_colour": [100, 100, 100],  # of a, b and c: 0, 100 and 200; d is held out
        "images": {"train": 3, "val": 1},
    }
    assert "skipped" in _index().columns and (_index()["skipped"] == "").all()


@pytest.mark.parametrize(("tags", "of_a"), [("json", [1, 2]), ("xml", [1, 2]), ("masks", [1, 2, 3])])
def test_tags_come_from_where_the_source_says(voc: Path, tags: str, of_a: list[int]) -> None:
    for name in ("b", "c"):
        (voc / "SegmentationClass" / f"{name}.png").write_bytes((voc / "SegmentationClass" / "d.png").read_bytes())
    ingest(OUT, sources={"mine": _source(voc, tags=tags)}, workers=1)
    assert list(_index().loc["a", "class_ids"]) == of_a


@pytest.mark.parametrize("tags", ["xml", "json", "masks"])
def test_photos_to_test_on_need_neither_tags_nor_masks(voc: Path, save_photo: Callable, tags: str) -> None:
    save_photo(voc / "JPEGImages" / "t.jpg")
    (voc / "ImageSets" / "Segmentation" / "test.txt").write_text("t\n")
    (voc / "image_labels.json").write_text('{"a": ["cat", "dog"]}')
    (voc / "ImageSets" / "Segmentation" / "train.txt").write_text("a\n")
    ingest(OUT, sources={"mine": _source(voc, splits={"train": "train", "test": "test"}, tags=tags)}, workers=1)
    photo = _index().loc["t"]
    assert (photo.split, photo.n_classes, photo.has_mask, photo.skipped) == ("test", 0, False, "")


def test_background_may_head_the_class_names(voc: Path) -> None:
    (voc / "classes.txt").write_text("background\ncat\ndog\ncow\n")
    ingest(OUT, sources={"mine": _source(voc)}, workers=1)
    assert list(_index().loc["d", "class_ids"]) == [3]


@pytest.mark.parametrize(("other", "rest"), [("background", 0), ("ignore", 255)])
def test_a_subset_of_the_classes(voc: Path, other: str, rest: int) -> None:
    ingest(OUT, sources={"mine": _source(voc)}, classes=["dog", "cat"], other_classes=other, workers=1)
    index = _index()
    assert list(index.loc["a", "labels"]) == ["dog", "cat"] and list(index.loc["b", "class_ids"]) == [1]
    assert index.loc["c", "skipped"] == "no label of the chosen classes"
    assert (index.loc["d", "skipped"], index.loc["d", "n_classes"], index.loc["d", "n_labels"]) == ("", 0, 1)
    assert index["row"].tolist() == [0, 1, -1, 2]
    assert Store(OUT / "masks")["a"]["labels"][:, 0].tolist() == [2, 1, rest, 255, 0, 0]
    assert pd.read_parquet(OUT / "boxes.parquet")["class_id"].tolist() == [2, 1, 1]
    assert json.loads((OUT / "dataset.json").read_text())["mean_colour"] == [50, 50, 50]


def test_lists_of_pairs_with_odd_names(voc: Path, save_photo: Callable, save_mask: Callable) -> None:
    save_photo(voc / "JPEGImages" / "ein Hündchen.JPG")
    save_mask(voc / "Aug" / "ein Hündchen.png", np.ones((6, 8)))
    save_photo(voc / "JPEGImages" / "copy.jpg.png")
    (voc / "Annotations" / "copy.jpg.xml").write_text((voc / "Annotations" / "a.xml").read_text())
    pairs = "/JPEGImages/ein Hündchen.JPG /Aug/ein Hündchen.png\r\n\r\nb.jpg\r\ncopy.jpg\r\nein Hündchen\r\n"
    (voc / "ImageSets/Segmentation/train.txt").write_text(pairs, encoding="utf-8-sig")
    (voc / "Annotations" / "ein Hündchen.xml").write_text((voc / "Annotations" / "a.xml").read_text())
    with pytest.raises(InputError, match="duplicate id 'ein Hündchen', in split 'train' at .*train.txt:1;"):
        ingest(OUT, sources={"mine": _source(voc)}, workers=1)
    (voc / "ImageSets/Segmentation/train.txt").write_text(pairs.rsplit("ein", 1)[0], encoding="utf-8-sig")
    ingest(OUT, sources={"mine": _source(voc)}, workers=1)
    assert list(_index().index) == ["ein Hündchen", "b", "copy.jpg", "d"]
    assert Store(OUT / "masks")["ein Hündchen"]["labels"].max() == 1


def test_pictures_and_a_table(tmp_path: Path, save_photo: Callable, save_mask: Callable) -> None:
    root = tmp_path / "photos"
    for name in ("x/1.jpg", "y/1.png", "with, comma.jpg", "new.jpg"):
        save_photo(root / name)
    save_mask(root / "masks" / "x" / "1.png", np.full((6, 8), 2))
    (root / "t.csv").write_text(
        'image,label,split\nx/1.jpg,rose; tulip,train\n"with, comma.jpg",rose,val\n'
        "y/1.png,aster,train\nnew.jpg,,later\n"
    )
    ingest(OUT, sources={"mine": _source(root, "csv", csv="t.csv", masks="masks")}, workers=1)
    index = _index()
    assert list(index.index) == ["x/1", "y/1", "with, comma"]
    assert list(index.loc["x/1", "labels"]) == ["rose", "tulip"] and list(index.loc["x/1", "class_ids"]) == [2, 3]
    assert Store(OUT / "photos").meaning["classes"] == ["background", "aster", "rose", "tulip"]
    assert list(Store(OUT / "masks").table["image_id"]) == ["x/1"]


def test_saliency_pairs(tmp_path: Path, save_photo: Callable) -> None:
    root = tmp_path / "duts"
    save_photo(root / "JPEGImages" / "s.jpg")
    (root / "SaliencyMasks").mkdir()
    Image.fromarray(np.full((6, 8), 200, np.uint8)).save(root / "SaliencyMasks" / "s.png")
    ingest(OUT, sources={"duts": _source(root, "saliency", {"train": "*"})}, workers=1)
    assert json.loads((OUT / "dataset.json").read_text())["classes"] == ["background", "salient"]
    assert (Store(OUT / "masks")["s"]["labels"] == 1).all() and list(_index().loc["s", "labels"]) == ["salient"]


def test_no_masks_no_store_and_voc_names_by_default(tmp_path: Path, save_photo: Callable) -> None:
    root = tmp_path / "easy"
    save_photo(root / "JPEGImages" / "1.jpg")
    (root / "JPEGImages" / "notes.txt").write_text("not a photo")
    (root / "image_labels.json").write_text('{"1": ["tvmonitor"]}')
    ingest(OUT, sources={"easy": _source(root, splits={"easy": "*"}, tags="json")}, workers=1)
    assert not (OUT / "masks").exists() and list(_index().loc["1", "class_ids"]) == [20]
    assert Store(OUT / "photos").meaning["classes"] == ["background", *VOC_CLASSES]
    assert len(pd.read_parquet(OUT / "boxes.parquet")) == 0


def test_same_bytes_again_in_two_processes_and_from_another_folder(
    tmp_path: Path, voc: Path, save_photo: Callable
) -> None:
    for number in range(70):
        save_photo(voc / "JPEGImages" / f"n{number}.jpg", (number, 0, 0))
        (voc / "Annotations" / f"n{number}.xml").write_text((voc / "Annotations" / "a.xml").read_text())
    ingest(OUT, sources={"mine": _source(voc, splits={"train": "*"})}, workers=1)
    first = _bytes_of(OUT)
    moved = voc.rename(tmp_path / "elsewhere")
    ingest(OUT, sources={"mine": _source(moved, splits={"train": "*"})}, workers=2)
    assert _bytes_of(OUT) == first
    assert not any(str(tmp_path).encode() in data for data in first.values())
    assert sorted(p.name for p in Path("data/.work").iterdir()) == []


def test_a_changed_mask_is_not_taken_from_interrupted_work(
    voc: Path, save_mask: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = StoreWriter.finish

    def interrupted(writer: StoreWriter) -> pd.DataFrame:
        if writer.path.name == "masks":
            raise KeyboardInterrupt
        return finish(writer)

    with monkeypatch.context() as patch:
        patch.setattr(StoreWriter, "finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ingest(OUT, sources={"mine": _source(voc)}, workers=1)
    assert not OUT.exists()
    save_mask(voc / "SegmentationClass" / "a.png", np.full((6, 8), 3))
    ingest(OUT, sources={"mine": _source(voc)}, workers=1)
    assert (Store(OUT / "masks")["a"]["labels"] == 3).all()
