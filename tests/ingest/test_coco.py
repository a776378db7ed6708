"""The layout `coco`: masks, boxes and tags of a JSON of instances, and everything that can be wrong with one."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from wsss_core.ingest import VOC_CLASSES, build, ingest
from wsss_core.stage import InputError
from wsss_core.stores import Store

OUT = Path("data/set")
CATEGORIES = {18: "dog", 17: "cat", 3: "car"}
COCO_NAMES = """person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,
parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,
frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,
wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,
couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,
refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush""".replace("\n", "").split(",")
COCO_IDS = {number * 2: name for number, name in enumerate(COCO_NAMES, start=1)}  # with holes, as COCO's own


def _image(number: int, name: str, **more: Any) -> dict:
    return {"id": number, "file_name": f"{name}.jpg", "height": 6, "width": 8, **more}


def _thing(image: int, category: int, x: float = 0, y: float = 0, w: float = 2, h: float = 2, **more: Any) -> dict:
    """A rectangle of pixels."""
    polygon = [x, y, x + w, y, x + w, y + h, x, y + h]
    return {"image_id": image, "category_id": category, "bbox": [x, y, w, h], "segmentation": [polygon], **more}


def _json(images: list, things: list, categories: dict[int, str] | None = None) -> dict:
    named = [{"id": number, "name": name} for number, name in (categories or CATEGORIES).items()]
    return {"images": images, "annotations": things, "categories": named}


@pytest.fixture
def save(tmp_path: Path, save_photo: Callable) -> Callable[..., Path]:
    """Write a JSON and the photos it lists; the root."""

    def write(content: Any, listed: str = "train", *, photos: str = "{}", file: str = "annotations/instances_{}.json"):
        root = tmp_path / "coco"
        (root / photos.format(listed)).mkdir(parents=True, exist_ok=True)
        for image in content["images"] if isinstance(content, dict) else ():
            save_photo(root / photos.format(listed) / image["file_name"])
        path = root / file.format(listed)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return root

    return write


def _ingest(root: Path, splits: dict[str, str] | None = None, *, workers: int = 1, **more: Any) -> pd.DataFrame:
    settings = {key: more.pop(key) for key in ("images", "annotations", "classes_map", "masks") if key in more}
    source = {"root": str(root), "layout": "coco", "splits": splits or {"train": "train"}, **settings}
    ingest(OUT, sources={"mine": source}, workers=workers, **more)
    return pd.read_parquet(OUT / "index.parquet").set_index("image_id")


def _problems(root: Path, splits: dict[str, str] | None = None, **more: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        _ingest(root, splits, **more)
    return [line.strip().removeprefix(f"{root}/annotations/") for line in str(caught.value).splitlines()[1:]]


def _mask(image_id: str) -> list[list[int]]:
    return Store(OUT / "masks")[image_id]["labels"].tolist()


def test_masks_boxes_and_tags(save: Callable) -> None:
    things = [
        _thing(1, 17, 3, 2, 2, 2, bbox=[3.2, 2.5, 1.1, 1.0]),  # first in the list, yet on top: 4 pixels of 24
        _thing(1, 18, 1, 1, 6, 4),
        _thing(1, 3, iscrowd=1, segmentation={"size": [6, 8], "counts": [36, 12]}),  # columns 6 and 7
        _thing(2, 3, 0, 2, 2, 3, segmentation={"size": [6, 8], "counts": "235NP1"}, iscrowd=0),
        _thing(2, 3, 7, 0, 1, 1),
    ]
    root = save(_json([_image(1, "a"), _image(2, "b/1")], things))
    index = _ingest(root)
    edge, dog, cat = [0, 0, 0, 0, 0, 0, 255, 255], [0, 1, 1, 1, 1, 1, 1, 255], [0, 1, 1, 2, 2, 1, 1, 255]
    assert _mask("a") == [edge, dog, cat, cat, dog, edge]
    nothing = [0] * 8
    assert _mask("b/1") == [[0] * 7 + [3], nothing, [3] + [0] * 7, [3] + [0] * 7, [3, 3] + [0] * 6, nothing]
    assert pd.read_parquet(OUT / "boxes.parquet").values.tolist() == [
        ["a", 2, "cat", 3, 2, 5, 4, False],  # 3.2 … 4.3 and 2.5 … 3.5 touch these pixels
        ["a", 1, "dog", 1, 1, 7, 5, False],
        ["b/1", 3, "car", 0, 2, 2, 5, False],
        ["b/1", 3, "car", 7, 0, 8, 1, False],
    ]
    assert [list(ids) for ids in index["class_ids"]] == [[1, 2], [3]] and index["has_mask"].all()
    assert index.loc["b/1", "file"] == "train/b/1.jpg"
    assert Store(OUT / "photos").meaning["classes"] == ["background", "dog", "cat", "car"]


def test_of_two_instances_of_the_same_size_the_later_one_is_on_top(save: Callable) -> None:
    _ingest(save(_json([_image(1, "a")], [_thing(1, 18, 0, 0), _thing(1, 17, 1, 0)])))
    assert _mask("a")[0] == [1, 2, 2, 0, 0, 0, 0, 0]


def test_all_80_categories_in_the_order_of_the_json(save: Callable) -> None:
    assert len(COCO_NAMES) == 80
    things = [_thing(1, 160), _thing(1, 2, 4, 4)]
    index = _ingest(save(_json([_image(1, "a")], things, COCO_IDS)))
    assert Store(OUT / "photos").meaning["classes"] == ["background", *COCO_NAMES]
    assert list(index.loc["a", "labels"]) == ["person", "toothbrush"] and _mask("a")[0][0] == 80


def test_all_80_under_the_names_of_voc(save: Callable) -> None:
    _ingest(save(_json([_image(1, "a")], [_thing(1, 10)], COCO_IDS)), classes_map="voc_names")
    classes = Store(OUT / "photos").meaning["classes"]
    assert len(classes) == 81 and set(VOC_CLASSES) < set(classes) and "airplane" not in classes
    assert classes[_mask("a")[0][0]] == "aeroplane"


def test_the_20_classes_of_voc(save: Callable) -> None:
    """One image per category; 20 of them keep their tag, under VOC's name."""
    images = [_image(number, name) for number, name in COCO_IDS.items()]
    root = save(_json(images, [_thing(number, number) for number in COCO_IDS], COCO_IDS))
    index = _ingest(root, classes_map="voc20")
    assert Store(OUT / "photos").meaning["classes"] == ["background", *VOC_CLASSES]
    left = index[index["skipped"] == ""]
    renamed = {"airplane": 1, "dining table": 11, "motorcycle": 14, "potted plant": 16, "couch": 18, "tv": 20}
    assert {name: list(left.loc[name, "class_ids"]) for name in renamed} == {n: [i] for n, i in renamed.items()}
    assert len(left) == 20 and sorted(ids[0] for ids in left["class_ids"]) == list(range(1, 21))
    assert set(index["skipped"]) == {"", "no label of the chosen classes"}
    assert [_mask(name)[0][0] for name in renamed] == list(renamed.values())


def test_other_categories_are_background_also_on_top(save: Callable) -> None:
    things = [_thing(1, 2, 0, 0, 4, 4), _thing(1, 136, 1, 0, 1, 1), _thing(1, 6, 6, 0)]  # person, cell phone, car
    index = _ingest(save(_json([_image(1, "a")], things, COCO_IDS)), classes_map="voc20", classes=["car", "person"])
    assert _mask("a")[0] == [2, 0, 2, 2, 0, 0, 1, 1]
    assert list(index.loc["a", "labels"]) == ["car", "person"]
    assert pd.read_parquet(OUT / "boxes.parquet")["label"].tolist() == ["person", "car"]


@pytest.mark.parametrize(("other", "rest"), [("background", 0), ("ignore", 255)])
def test_a_subset_of_the_classes(save: Callable, other: str, rest: int) -> None:
    things = [_thing(1, 18, 0), _thing(1, 17, 4), _thing(1, 3, 6, 0, iscrowd=1), _thing(2, 18)]
    root = save(_json([_image(1, "a"), _image(2, "b")], things))
    index = _ingest(root, classes=["cat"], other_classes=other)
    assert _mask("a")[0] == [rest, rest, 0, 0, 1, 1, 255, 255]
    assert index["skipped"].tolist() == ["", "no label of the chosen classes"]


def test_photos_of_nothing_are_evaluated_but_not_trained_on(save: Callable) -> None:
    crowd = _thing(2, 18, iscrowd=1)
    save(_json([_image(1, "a"), _image(2, "b"), _image(3, "c")], [crowd, _thing(3, 18)]))
    root = save(_json([_image(1, "d")], [], {1: "background", 5: "car", 6: "cat", 7: "dog"}), "val")
    index = _ingest(root, {"train": "train", "val": "val"})
    assert index["skipped"].tolist() == ["no label of the chosen classes"] * 2 + ["", ""]
    assert (index.loc["d", "n_classes"], index.loc["d", "has_mask"]) == (0, True)
    assert _mask("d") == [[0] * 8] * 6


def test_files_in_other_places(save: Callable) -> None:
    save(_json([_image(1, "a")], [_thing(1, 18)]), photos="img/{}", file="{}/labels.json")
    root = save(_json([_image(1, "b")], [_thing(1, 18)]), "valid", photos="img/{}", file="{}/labels.json")
    index = _ingest(root, {"train": "train", "val": "valid"}, images="img/{}", annotations="{}/labels.json")
    assert index["file"].tolist() == ["img/train/a.jpg", "img/valid/b.jpg"]
    index = _ingest(root, {"all": "*"}, images="img/train", annotations="train/labels.json")
    assert index["split"].tolist() == ["all"]


def test_two_processes_draw_and_nothing_is_left_behind(save: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("scratch").mkdir()
    monkeypatch.setattr(build, "TemporaryDirectory", partial(tempfile.TemporaryDirectory, dir="scratch"))
    numbers = range(70)
    root = save(_json([_image(n, f"{n}") for n in numbers], [_thing(n, 18, n % 6) for n in numbers]))
    _ingest(root, workers=2)
    masks = Store(OUT / "masks")
    assert all(masks[f"{n}"]["labels"][0].nonzero()[0].tolist() == [n % 6, n % 6 + 1] for n in numbers)
    assert list(Path("scratch").iterdir()) == []


def test_all_problems_of_the_images_in_one_message(tmp_path: Path, save: Callable, save_photo: Callable) -> None:
    things = [
        _thing(1, 18, segmentation=[[0, 0, 1, 1]], bbox=[0, 0, 99, 2]),
        _thing(1, 17, segmentation={"size": [6, 8], "counts": [47]}, bbox=None),
        _thing(1, 17, bbox=[1, 1, 0, 2]),
        _thing(4, 17, segmentation=None),  # of a photo that is not there: told once, as such
    ]
    names = ["a", "size", "turned", "absent", "text", "../out"]
    root = save(_json([_image(number, name) for number, name in enumerate(names, start=1)], things))
    save_photo(root / "train/size.jpg", size=(6, 9))
    save_photo(root / "train/turned.jpg", size=(8, 6))
    (root / "train/absent.jpg").unlink()
    (root / "train/text.jpg").write_text("404")
    train = "instances_train.json:"
    again = "as listed; fetch the photo that was annotated, or remove the image from the list"
    mend = "correct it or remove the annotation"
    assert _problems(root) == [
        f"{train}annotations[0]: segmentation: [0, 0, 1, 1] is no polygon of at least three points; {mend}",
        f"{train}annotations[0]: bbox: [0, 0, 99, 2] leaves the photo of 8x6; {mend}",
        f"{train}annotations[1]: segmentation: run lengths of 47 pixels, expected 48; {mend}",
        f"{train}annotations[1]: bbox: None is not [x, y, width, height]; {mend}",
        f"{train}annotations[2]: bbox: [1, 1, 0, 2] is empty; {mend}",
        f"{train}images[1]: photo train/size.jpg is 9x6, not 8x6 {again}",
        f"{train}images[2]: photo train/turned.jpg is 6x8, not 8x6 {again}",
        f"{train}images[3]: no photo train/absent.jpg; add the file or remove the image from the list",
        f"{root}/train/text.jpg: not a picture; replace the file or remove the image from the list",
        f"{train}images[5]: photo train/../out.jpg leaves the root; put the file into the root and name it relative to "
        "the root",
    ]
    (root / "train/absent.jpg").write_bytes((root / "train/a.jpg").read_bytes())
    things[:3] = [_thing(1, 18)]
    save(_json([_image(1, "a"), _image(4, "absent")], things))
    assert _ingest(root, on_bad_image="skip")["skipped"].tolist() == [
        "",
        f"segmentation: None is neither a list of polygons nor run lengths; {mend}",
    ]


def test_all_problems_of_a_json_in_one_message(save: Callable) -> None:
    images = [_image(1, "a"), _image(2, "a"), _image(2, "b"), _image(3, "c", height="6"), [], _image(4, "/etc/passwd")]
    things = [_thing(1, 18), _thing(9, 18), _thing(1, 99), _thing(1, 18, iscrowd="no"), {"image_id": 1}]
    content = _json([image for image in images if image], things)
    del content["images"][-1]
    root = save(content)
    content["images"] = images
    (root / "annotations/instances_train.json").write_text(json.dumps(content))
    train = "instances_train.json:"
    assert _problems(root) == [
        f"{train}images[2]: duplicate image id 2, also at {root}/annotations/{train}images[1]; give each an id of its "
        "own",
        f"{train}images[3]: no usable height; correct or remove the entry",
        f"{train}images[4]: expected keys and values; correct or remove it",
        f"{train}annotations[1]: unknown image_id 9; correct it or remove the annotation",
        f"{train}annotations[2]: unknown category_id 99; correct it or remove the annotation",
        f"{train}annotations[3]: iscrowd is 'no'; write 0 or 1",
        f"{train}annotations[4]: no usable category_id; correct or remove the entry",
        f"{train}images[1]: duplicate id 'a', in split 'train' at {root}/annotations/{train}images[0]; remove one, or "
        "rename the file",
        f"{train}images[5]: photo /etc/passwd.jpg leaves the root; put the file into the root and name it relative to "
        "the root",
    ]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('{"images": [],\n"annotations": [', "instances_train.json:2: not valid JSON ("),
        ("[" * 100_000, "instances_train.json: not valid JSON (nested too deeply); mend the file"),
        ("null", "instances_train.json: holds nothing but null; write the file anew"),
        ("[]", "instances_train.json: no list `images`; give a file of instances"),
        ({"images": [], "categories": []}, "instances_train.json: no list `annotations`; give a file of instances"),
        ({"images": [], "annotations": []}, "instances_train.json: no list `categories`; give a file of instances"),
        (_json([], []), "instances_train.json: empty split 'train': no image listed"),
        (_json([], [], {1: "background"}), "instances_train.json:categories: 0 categories; name 1 to 254"),
        (_json([], [], {n: f"{n}" for n in range(255)}), "instances_train.json:categories: 255 categories"),
        (_json([], [], {1: "cat", 2: "cat"}), "instances_train.json:categories[1]: category 2, 'cat': its id or name"),
    ],
)
def test_a_json_that_cannot_be_used(save: Callable, content: Any, what: str) -> None:
    assert _problems(save(content))[0].startswith(what)


def test_files_and_folders_that_are_not_there(save: Callable) -> None:
    root = save(_json([_image(1, "a")], [_thing(1, 18)]))
    missing = "check root, layout, splits and the other paths in the settings"
    assert _problems(root, {"train": "tarin"}) == [
        f"{root}/tarin: no such folder; {missing}",
        f"instances_tarin.json: no such file; {missing}",
    ]
    assert "leaves the root" in _problems(root, annotations="../{}.json")[0]
    assert "leaves the root" in _problems(root, images="/")[0]


def test_categories_must_fit_the_other_split_and_the_map(save: Callable) -> None:
    save(_json([_image(1, "a")], [_thing(1, 18)]))
    root = save(_json([_image(1, "b")], [_thing(1, 1)], {1: "dog", 2: "cat", 3: "bus"}), "val")
    assert _problems(root, {"train": "train", "val": "val"}) == [
        "instances_val.json:categories: 'bus', 'car' in this JSON or in the first one only; name the same categories "
        "in all of a source's files"
    ]
    root = save(_json([_image(1, "a")], [_thing(1, 1)], {1: "zebra"}))
    assert _problems(root, classes_map="voc20") == [
        "instances_train.json:categories: none of VOC's 20 classes; remove classes_map"
    ]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"masks": "masks"}, "masks is for layout voc or csv or saliency, not coco; remove it"),
        ({"layout": "csv", "classes_map": "voc20"}, "classes_map is for layout coco, not csv; remove it"),
        ({"classes_map": "voc"}, "ingest.sources.mine.classes_map: 'voc' is not one of 'voc20', 'voc_names'"),
    ],
)
def test_settings_of_the_layout(tmp_path: Path, change: dict, what: str) -> None:
    source = {"root": str(tmp_path), "layout": "coco", "splits": {"train": "train"}, **change}
    with pytest.raises(InputError) as caught:
        ingest(OUT, sources={"mine": source}, workers=1)
    assert what in str(caught.value)
