"""All that can be wrong with a data set, told in one message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wsss_core.ingest import ingest
from wsss_core.stage import InputError

OUT = Path("data/set")


def _message(sources: dict, **options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        ingest(OUT, sources=sources, workers=1, **options)
    assert not OUT.exists()
    return [line.strip() for line in str(caught.value).splitlines()]


def _spoil(root: Path, save_photo: Callable, save_mask: Callable, xml: Callable) -> str:
    """Ten images, each bad in a way of its own; the list that names them."""
    (root.parent / "outside.jpg").write_bytes((root / "JPEGImages" / "a.jpg").read_bytes())
    photos = root / "JPEGImages"
    names = ["cut", "text", "size", "turned", "value", "colour", "label", "none", "link", "box"]
    for name in names:
        save_photo(photos / f"{name}.jpg")
        (root / "Annotations" / f"{name}.xml").write_text(xml(("cat", (1, 1, 8, 6))))
    (photos / "cut.jpg").write_bytes((photos / "cut.jpg").read_bytes()[:-20])
    (photos / "text.jpg").write_text("404 not found")
    (photos / "link.jpg").unlink()
    (photos / "link.jpg").symlink_to(root.parent / "outside.jpg")
    save_mask(root / "SegmentationClass" / "size.png", np.zeros((6, 9)))
    save_mask(root / "SegmentationClass" / "turned.png", np.zeros((8, 6)))
    save_mask(root / "SegmentationClass" / "value.png", np.full((6, 8), 4))
    save_photo(root / "SegmentationClass" / "colour.png")
    (root / "Annotations" / "label.xml").write_text(xml(("cta", None)))
    (root / "Annotations" / "none.xml").write_text(xml())
    (root / "Annotations" / "box.xml").write_text(xml(("cat", (1, 1, 80, 60))))
    return "\n".join(["a", *names, "absent", "../outside"]) + "\n"


IMAGE_PROBLEMS = [
    "JPEGImages/cut.jpg: truncated or damaged picture; fetch the file again or remove the image",
    "JPEGImages/text.jpg: not a picture; replace the file or remove the image from the list",
    "SegmentationClass/size.png: mask is 9x6, photo is 8x6; save it at the photo's size",
    "SegmentationClass/turned.png: mask is 6x8, photo is 8x6; turn it as the photo's EXIF says",
    "SegmentationClass/value.png: mask values 4 outside the 3 classes; use 0 to 3 and 255, or name more classes in "
    "classes.txt",
    "SegmentationClass/colour.png: mask in colours (mode RGB); save it as palette or grey PNG whose values are class "
    "ids",
    "Annotations/label.xml: label: unknown label 'cta'; correct it or name it in classes.txt (known: cat, dog, cow)",
    "ImageSets/Segmentation/train.txt:9: none: image without any label; label it or remove the image",
    "ImageSets/Segmentation/train.txt:10: photo JPEGImages/link.jpg leaves the root; put the file into the root and "
    "name it relative to the root",
    "Annotations/box.xml: box of object 1 (cat): [1, 1, 80, 60] leaves the photo of 8x6; correct or remove it",
    "ImageSets/Segmentation/train.txt:12: no photo JPEGImages/absent.jpg; add the file or remove the image from the "
    "list",
    "ImageSets/Segmentation/train.txt:13: photo JPEGImages/../outside.jpg leaves the root; put the file into the root "
    "and name it relative to the root",
]


def test_all_problems_in_one_message(voc: Path, save_photo: Callable, save_mask: Callable, xml: Callable) -> None:
    lists = voc / "ImageSets" / "Segmentation"
    (lists / "train.txt").write_text(_spoil(voc, save_photo, save_mask, xml))
    (lists / "empty.txt").write_text("\n")
    (lists / "again.txt").write_text("d\na\n")
    splits = {"train": "train", "val": "again", "test": "empty", "more": "tset"}
    structural = [
        "ImageSets/Segmentation/empty.txt: empty split 'test': no image listed; add some or drop the split",
        "ImageSets/Segmentation/tset.txt: no such file; check root, layout, splits and the other paths in the settings",
        f"ImageSets/Segmentation/again.txt:2: duplicate id 'a', in split 'train' at {lists}/train.txt:1; remove one, "
        "or rename the file",
    ]
    lines = _message({"mine": {"root": str(voc), "layout": "voc", "splits": splits}})
    assert lines[0] == "15 problems in the data set:"
    assert [line.removeprefix(f"{voc}/") for line in lines[1:]] == structural + IMAGE_PROBLEMS


def test_bad_images_can_be_skipped_with_the_reason(
    voc: Path, save_photo: Callable, save_mask: Callable, xml: Callable
) -> None:
    lists = voc / "ImageSets" / "Segmentation"
    (lists / "train.txt").write_text(_spoil(voc, save_photo, save_mask, xml))
    source = {"root": str(voc), "layout": "voc", "splits": {"train": "train"}}
    ingest(OUT, sources={"mine": source}, on_bad_image="skip", workers=1)
    index = pd.read_parquet(OUT / "index.parquet").set_index("image_id")
    assert index.index[index["skipped"] == ""].tolist() == ["a"] and len(index) == 13
    assert index.loc["cut", "skipped"].startswith("truncated") and index.loc["cut", "row"] == -1
    assert not index["skipped"].str.contains(str(voc), regex=False).any()


def test_skipping_does_not_hide_what_concerns_the_whole(voc: Path) -> None:
    (voc / "JPEGImages" / "d.jpg").write_text("")
    sources = {"mine": {"root": str(voc), "layout": "voc", "splits": {"train": "train", "val": "val"}}}
    lines = _message(sources, on_bad_image="skip")
    assert len(lines) == 2 and "empty split 'val': all of its 1 images are skipped" in lines[1]
    sources["mine"]["splits"]["val"] = "train"
    assert sum("duplicate id" in line for line in _message(sources, on_bad_image="skip")) == 3


def test_only_the_first_fifty_are_listed(voc: Path) -> None:
    (voc / "ImageSets/Segmentation/train.txt").write_text("".join(f"x{number}\n" for number in range(60)))
    lines = _message({"mine": {"root": str(voc), "layout": "voc", "splits": {"train": "train"}}})
    assert lines[0] == "60 problems in the data set:" and len(lines) == 52 and lines[-1] == "... and 10 more"


def test_tables(tmp_path: Path, save_photo: Callable) -> None:
    root = tmp_path / "photos"
    save_photo(root / "a.jpg")
    save_photo(root / "a.png")
    (root / "classes.txt").write_text("rose\n")
    (root / "labels.csv").write_text(
        f"image,label\na.jpg,rsoe\na.png,rose\n,rose\nb.jpg,\nc.jpg,rose,tulip\n{root}/a.jpg,rose\n"
    )
    lines = _message({"mine": {"root": str(root), "layout": "csv", "splits": {"train": "*"}}})
    file = root / "labels.csv"
    assert lines[1:] == [
        f"{file}:4: no image named; fill the column or remove the row",
        f"{file}:6: more than 2 columns; separate labels by `;`, quote names with commas",
        f"{file}:3: duplicate id 'a', in split 'train' at {file}:2; remove one, or rename the file",
        f"{file}:2: a: unknown label 'rsoe'; correct it or name it in classes.txt (known: rose)",
        f"{file}:5: no photo b.jpg; add the file or remove the image from the list",
        f"{file}:5: b: image without any label; label it or remove the image",
        f"{file}:7: photo {root}/a.jpg leaves the root; put the file into the root and name it relative to the root",
    ]
    (root / "labels.csv").write_text("file;label\na.jpg;rose\n")
    lines = _message({"mine": {"root": str(root), "layout": "csv", "splits": {"train": "*"}}})
    assert lines[1:] == [f"{file}:1: columns file;label; the first line must be image,label or image,label,split"]
    (root / "labels.csv").write_text("image,label\na.jpg,rose\n")
    lines = _message({"mine": {"root": str(root), "layout": "csv", "splits": {"val": "val"}}})
    assert "empty split 'val': no row with 'val' in a column `split`" in lines[1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"a": ["cat"],\n}', "image_labels.json:2: not valid JSON"),
        ('{"a": "cat"}', 'image_labels.json: expected {"image id": ["label", ...], ...}'),
        (None, "image_labels.json: no such file"),
    ],
)
def test_labels_in_json(voc: Path, text: str | None, what: str) -> None:
    (voc / "image_labels.json").unlink()
    if text:
        (voc / "image_labels.json").write_text(text)
    source = {"root": str(voc), "layout": "voc", "splits": {"train": "train"}, "tags": "json"}
    assert what in _message({"mine": source})[1]


def test_boxes_of_classes_that_the_tags_lack(voc: Path) -> None:
    (voc / "image_labels.json").write_text('{"a": ["dog"], "b": ["dog"], "c": ["cow"], "d": ["cow"]}')
    source = {"root": str(voc), "layout": "voc", "splits": {"train": "train"}, "tags": "json"}
    assert _message({"mine": source})[1:] == [
        f"{voc}/Annotations/a.xml: a: boxes of cat, which {voc}/image_labels.json does not name; add the label there "
        "or remove the boxes"
    ]


def test_missing_masks_are_told_where_they_are_needed(voc: Path) -> None:
    source = {"root": str(voc), "layout": "voc", "splits": {"train": "train"}, "tags": "masks"}
    lines = _message({"mine": source})
    assert [line.split(": ", 1)[1].split(";")[0] for line in lines[1:]] == [
        "no mask SegmentationClass/b.png",
        "no mask SegmentationClass/c.png",
    ]
    (voc / "ImageSets/Segmentation/train.txt").write_text("/JPEGImages/a.jpg /Aug/a.png\n")
    lines = _message({"mine": {**source, "tags": "json"}})
    assert "no mask Aug/a.png" in lines[1] and len(lines) == 2


def test_folders(tmp_path: Path, voc: Path) -> None:
    source = {"root": str(tmp_path / "nowhere"), "layout": "voc", "splits": {"train": "train"}}
    lines = _message({"mine": source}, classes=["cat"])
    assert len(lines) == 2 and "no such folder; correct root of source 'mine'" in lines[1]
    (voc / "Annotations").rename(tmp_path / "boxes")
    assert "Annotations: no such folder" in _message({"mine": {**source, "root": str(voc)}})[1]
    (tmp_path / "boxes").rename(voc / "Annotations")
    assert "masks: no such folder" in _message({"mine": {**source, "root": str(voc), "masks": "masks"}})[1]
    (voc / "JPEGImages").rename(tmp_path / "moved")
    assert "JPEGImages: no such folder" in _message({"mine": {**source, "root": str(voc)}})[1]
    (voc / "JPEGImages").symlink_to(tmp_path / "moved")
    assert "JPEGImages: leaves the root" in _message({"mine": {**source, "root": str(voc)}})[1]


def test_two_photos_of_one_id_and_an_empty_folder(tmp_path: Path, voc: Path, save_photo: Callable) -> None:
    save_photo(voc / "JPEGImages" / "a.png")
    source = {"root": str(voc), "layout": "voc", "splits": {"train": "train"}}
    assert "a.png: duplicate id 'a', also of a.jpg" in _message({"mine": source})[1]
    (tmp_path / "e" / "JPEGImages").mkdir(parents=True)
    source = {"root": str(tmp_path / "e"), "layout": "voc", "splits": {"train": "*"}, "tags": "masks"}
    assert "empty split 'train': no photo in the folder" in _message({"mine": source})[1]


@pytest.mark.parametrize(
    ("classes", "what"),
    [
        (["cat", "dgo"], "ingest.set.classes: 'dgo' is in no source; did you mean dog?"),
        (["cat", "cat"], "ingest.set.classes: 'cat' stands twice; name it once"),
        (["background", "cat"], "ingest.set.classes: background is always there; leave it out"),
        ([], "ingest.set.classes: empty; name some classes, or null for all"),
    ],
)
def test_chosen_classes(voc: Path, classes: list[str], what: str) -> None:
    source = {"root": str(voc), "layout": "voc", "splits": {"train": "train", "val": "vla"}}
    lines = _message({"mine": source}, classes=classes, where="ingest.set")
    assert lines[2] == what and "vla.txt: no such file" in lines[1]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"layuot": "voc"}, "ingest.set.sources.mine.layuot: unknown key; did you mean layout?"),
        ({"layout": "yolo"}, "ingest.set.sources.mine.layout: 'yolo' is not one of"),
        ({"splits": {}}, "ingest.set.sources.mine: splits is empty"),
        ({"splits": {"train": 2012}}, "splits: 'train': 2012 is not a name and a list; write both as text"),
        ({"csv": "labels.csv"}, "ingest.set.sources.mine: csv is for layout csv, not voc; remove it"),
        ({"layout": "csv", "tags": "xml"}, "ingest.set.sources.mine: tags is for layout voc, not csv; remove it"),
    ],
)
def test_settings_are_checked_by_name_and_kind(voc: Path, change: dict, what: str) -> None:
    source = {"root": str(voc), "layout": "voc", "splits": {"train": "train"}, **change}
    assert what in _message({"mine": source}, where="ingest.set")[0]


def test_sources_must_be_sections(voc: Path) -> None:
    assert "ingest.sources: empty" in _message({})[0]
    assert "ingest.sources.mine: expected keys and values, found 'voc'" in _message({"mine": "voc"})[0]
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        ingest(OUT, sources={}, workers=0)
