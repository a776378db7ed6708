import hashlib
import json
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from wsss_core.scenes import make, make_scenes
from wsss_core.scenes.parts import CLASSES
from wsss_core.scenes.scene import easy_scene

COUNTS = {"seed": 3, "size": 64, "train": 5, "val": 2, "easy": 8, "saliency": 12}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "scenes"
    make_scenes(folder, **COUNTS, workers=1)
    return folder


def digests(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def lines(path):
    return path.read_text().splitlines()


def ids_in(folder):
    return sorted(path.stem for path in folder.iterdir())


@pytest.mark.parametrize("workers", [1, 2])
def test_same_arguments_give_the_same_bytes(out, tmp_path, workers):
    make_scenes(tmp_path / "again", **COUNTS, workers=workers)
    assert digests(tmp_path / "again") == digests(out)


def test_another_seed_gives_other_pictures_and_more_images_leave_the_first_as_they_are(out, tmp_path):
    make_scenes(tmp_path / "seed", **COUNTS | {"seed": 4}, workers=1)
    make_scenes(tmp_path / "more", **COUNTS | {"train": 6}, workers=1)
    before, other, more = (digests(folder) for folder in (out, tmp_path / "seed", tmp_path / "more"))
    pictures = [name for name in before if name.endswith(".jpg")]
    assert all(before[name] != other[name] for name in pictures)
    assert all(before[name] == more[name] for name in pictures)


def test_no_two_pictures_are_alike(out):
    pictures = {name: digest for name, digest in digests(out).items() if name.endswith(".jpg")}
    assert len(set(pictures.values())) == len(pictures) == 5 + 2 + 8 + 12


def test_photos_keep_their_colours(out):
    scene = easy_scene(np.random.default_rng((3, make.KINDS.index("easy"), 1)), 64, class_id=2)
    with Image.open(out / "easy/JPEGImages/easy_00001.jpg") as photo:
        difference = np.asarray(photo).astype(float) - scene.photo
    assert np.abs(difference).mean() < 5
    assert np.abs(difference.mean(axis=(0, 1))).max() < 1


def test_voc_folders_agree_with_the_lists(out):
    voc = out / "voc"
    train, val = (lines(voc / "ImageSets/Segmentation" / f"{split}.txt") for split in ("train", "val"))
    assert (len(train), len(val)) == (5, 2)
    assert not set(train) & set(val)
    for folder in ("JPEGImages", "SegmentationClass", "Annotations"):
        assert ids_in(voc / folder) == sorted(train + val)
    assert lines(voc / "classes.txt") == CLASSES


def test_masks_boxes_and_labels_name_the_same_classes(out):
    voc = out / "voc"
    labels = json.loads((voc / "image_labels.json").read_text())
    assert list(labels) == [f"train_{i:05d}" for i in range(5)] + [f"val_{i:05d}" for i in range(2)]
    for image_id, names in labels.items():
        with (
            Image.open(voc / "SegmentationClass" / f"{image_id}.png") as mask,
            Image.open(voc / "JPEGImages" / f"{image_id}.jpg") as photo,
        ):
            assert mask.mode == "P"
            assert mask.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
            assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", mask.size)
            values = set(np.unique(np.asarray(mask)).tolist())
        assert {CLASSES[value - 1] for value in values - {0, 255}} == set(names)
        assert {0, 255} < values
        root = ElementTree.parse(voc / "Annotations" / f"{image_id}.xml").getroot()
        assert {thing.findtext("name") for thing in root.iter("object")} == set(names)
        assert (int(root.findtext("size/width")), int(root.findtext("size/height"))) == mask.size


def test_easy_images_have_one_label_and_all_classes_come_in_turn(out):
    easy = out / "easy"
    labels = json.loads((easy / "image_labels.json").read_text())
    assert ids_in(easy / "JPEGImages") == sorted(labels)
    assert list(labels.values()) == [[name] for name in CLASSES]
    assert sorted(path.name for path in easy.iterdir()) == ["JPEGImages", "classes.txt", "image_labels.json"]


def test_saliency_pairs_hold_out_a_tenth_and_have_masks_of_two_values(out):
    root = out / "saliency"
    train, val = (lines(root / "ImageSets" / f"{split}.txt") for split in ("train", "val"))
    assert (len(train), len(val)) == (11, 1)
    assert ids_in(root / "JPEGImages") == ids_in(root / "SaliencyMasks") == sorted(train + val)
    for image_id in train + val:
        with (
            Image.open(root / "SaliencyMasks" / f"{image_id}.png") as mask,
            Image.open(root / "JPEGImages" / f"{image_id}.jpg") as photo,
        ):
            assert (mask.mode, mask.size) == ("L", photo.size)
            values = np.asarray(mask)
        assert set(np.unique(values).tolist()) == {0, 255}
        assert 0.05 < (values == 255).mean() < 0.6


def test_a_failure_leaves_the_old_folder_and_nothing_half_written(out, tmp_path, monkeypatch):
    folder = tmp_path / "scenes"
    folder.mkdir()
    (folder / "old").touch()

    def full_disk(*_):
        raise OSError("no space")

    monkeypatch.setattr(make, "_write_lists", full_disk)
    with pytest.raises(OSError, match="no space"):
        make_scenes(folder, **COUNTS | {"train": 1, "val": 1, "easy": 1, "saliency": 2}, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["scenes"]
    assert [path.name for path in folder.iterdir()] == ["old"]


def test_replaces_an_older_folder(tmp_path):
    (tmp_path / "scenes/voc").mkdir(parents=True)
    (tmp_path / "scenes/old").touch()
    make_scenes(tmp_path / "scenes", **COUNTS | {"train": 1, "val": 1, "easy": 1, "saliency": 2}, workers=1)
    assert sorted(path.name for path in (tmp_path / "scenes").iterdir()) == ["easy", "saliency", "voc"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", -1),
        ("size", 63),
        ("size", 1025),
        ("train", 0),
        ("val", 0),
        ("easy", 0),
        ("saliency", 1),
        ("workers", 0),
    ],
)
def test_numbers_out_of_range_are_named(tmp_path, key, value):
    with pytest.raises(ValueError, match=rf"{key}: expected .* got {value}"):
        make_scenes(tmp_path / "scenes", **COUNTS | {key: value})
    assert not list(tmp_path.iterdir())
