"""What `wsss init` finds in a user's folder."""

from pathlib import Path

import pytest

from wsss_core.cli.sources import describe_easy, describe_source
from wsss_core.stage import InputError


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if path.suffix else path.mkdir()


def test_voc_2012_as_it_comes(tmp_path):
    make(tmp_path, "JPEGImages", "Annotations", "SegmentationClass", "ImageSets/Segmentation/train.txt")
    make(tmp_path, "ImageSets/Segmentation/val.txt")
    found = describe_source(tmp_path, lone_split="train")
    assert found["splits"] == {"train": "train", "val": "val"}
    assert (found["tags"], found["masks"]) == ("xml", "SegmentationClass")


@pytest.mark.parametrize("name", ["train_aug", "trainaug"])
def test_sbd_beside_it_is_preferred(tmp_path, name):
    make(tmp_path, "JPEGImages", "SegmentationClass", "SegmentationClassAug", "ImageSets/Segmentation/train.txt")
    make(tmp_path, f"ImageSets/Segmentation/{name}.txt", "image_labels.json")
    found = describe_source(tmp_path, lone_split="train")
    assert found["splits"] == {"train": name}
    assert (found["tags"], found["masks"]) == ("json", "SegmentationClassAug")


def test_easy_photos_need_no_lists(tmp_path):
    make(tmp_path, "JPEGImages", "image_labels.json")
    found = describe_source(tmp_path, lone_split="easy")
    assert found == {"root": str(tmp_path), "layout": "voc", "tags": "json", "splits": {"easy": "*"}}


@pytest.mark.parametrize(("lists", "split"), [(["train", "val"], "train"), ([], "*")])
def test_easy_photos_bring_no_val_and_no_masks(tmp_path, lists, split):
    make(tmp_path, "JPEGImages", "Annotations", "SegmentationClass", "ImageSets/Segmentation")
    make(tmp_path, *(f"ImageSets/Segmentation/{name}.txt" for name in lists))
    found = describe_easy(tmp_path)
    assert found == {"root": str(tmp_path), "layout": "voc", "tags": "xml", "splits": {"easy": split}}


def test_all_of_an_easy_table_is_easy(tmp_path):
    (tmp_path / "labels.csv").write_text("image,label,split\na.jpg,cat,val\nb.jpg,cat,train\n")
    assert describe_easy(tmp_path)["splits"] == {"easy": "*"}


def test_a_list_of_val_alone_leaves_nothing_to_train_on(tmp_path):
    make(tmp_path, "JPEGImages", "Annotations", "ImageSets/Segmentation/val.txt", "ImageSets/Segmentation/trainval.txt")
    with pytest.raises(InputError, match="val.txt, but no list to train on; add one of train_aug.txt, trainaug.txt"):
        describe_source(tmp_path, lone_split="train")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"image,label,split\na.jpg,cat,val\nb.jpg,cat,\n", "labels.csv:3: no split, but other rows have one"),
        ("image,label\nk\u00fche.jpg,cow\n".encode("latin-1"), "not a table in UTF-8"),
    ],
)
def test_a_table_that_would_lose_rows_is_refused(tmp_path, table, message):
    (tmp_path / "labels.csv").write_bytes(table)
    with pytest.raises(InputError, match=message):
        describe_source(tmp_path, lone_split="train")


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        (["train2014", "train2017", "val2017"], {"splits": {"train": "train2017", "val": "val2017"}}),
        (["train2014"], {"splits": {"train": "train2014"}}),
        (["images/val2017"], {"splits": {"val": "val2017"}, "images": "images/{}"}),
    ],
)
def test_coco_of_several_years_with_the_pictures_that_are_there(tmp_path, folders, found):
    lists = ["train2014", "train2017", "val2014", "val2017"]
    make(tmp_path, *folders, *(f"annotations/instances_{name}.json" for name in lists))
    described = describe_source(tmp_path, lone_split="train")
    assert described == {"root": str(tmp_path), "layout": "coco", **found}


def test_a_coco_file_of_another_name_takes_the_lone_split(tmp_path):
    make(tmp_path, "default", "annotations/instances_default.json")
    assert describe_source(tmp_path, lone_split="easy")["splits"] == {"easy": "default"}
    with pytest.raises(InputError, match="neither labels.csv nor a folder JPEGImages nor annotations/instances"):
        describe_source(tmp_path / "default", lone_split="easy")
