"""The archive for VOC's server: its folder, colours, ids, sizes and bytes, and what is refused."""

import io
import tarfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_core.export.voc import to_voc
from wsss_core.export.voc_server import export_voc_server, is_plain
from wsss_core.stage import InputError

from .conftest import SIZES, stripes

FOLDER = "results/VOC2012/Segmentation/comp6_val_cls"
DATASET = Path("data/dataset")
OUT = Path("out/mine.tar.gz")


def pictures(path: Path) -> dict[str, Image.Image]:
    with tarfile.open(path, "r:gz") as tar:
        return {m.name: Image.open(io.BytesIO(tar.extractfile(m).read())) for m in tar.getmembers()}


def test_label_maps_leave_with_the_servers_names_ids_and_sizes(project, predict):
    project()
    predict(labels=stripes)
    assert export_voc_server("mine", OUT, dataset=DATASET) == 3
    written = pictures(OUT)
    assert list(written) == [f"{FOLDER}/a-1.png", f"{FOLDER}/a.png", f"{FOLDER}/b.png"]
    for image_id, (height, width) in SIZES.items():
        picture = written[f"{FOLDER}/{image_id}.png"]
        assert picture.mode == "P" and picture.size == (width, height)
    # person, aeroplane, cat are VOC's 15, 1, 8 and have its colours
    assert np.asarray(written[f"{FOLDER}/b.png"])[0].tolist() == [0, 15, 1, 8, 0]
    colours = np.asarray(written[f"{FOLDER}/b.png"].convert("RGB"))[0]
    assert colours.tolist() == [[0, 0, 0], [192, 128, 128], [128, 0, 0], [64, 0, 0], [0, 0, 0]]


def test_the_same_labels_give_the_same_bytes(project, predict, monkeypatch):
    project()
    predict(labels=stripes)
    export_voc_server("mine", OUT, dataset=DATASET)
    monkeypatch.setattr("time.time", lambda: 2e9)
    export_voc_server("mine", Path("elsewhere.tar.gz"), dataset=DATASET)
    assert OUT.read_bytes() == Path("elsewhere.tar.gz").read_bytes()
    assert OUT.read_bytes()[3:8] == bytes(5)  # no name and no clock in gzip's header
    with tarfile.open(OUT) as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in tar} == {(0, 0, 0, "", "", 0o644)}


def test_labels_after_the_crf_are_an_array_of_their_own(project, predict):
    project()
    store = predict(labels=stripes)
    with pytest.raises(InputError, match=r"predictions/mine: holds no labels_crf; set predict\.crf .*predict@mine"):
        export_voc_server("mine", OUT, dataset=DATASET, crf=True)
    predict(labels=stripes, labels_crf=lambda _, size: np.full(size, 2))
    assert store.is_dir()
    export_voc_server("mine", OUT, dataset=DATASET, crf=True, comp="comp5")
    written = pictures(OUT)
    assert {int(np.asarray(picture).min()) for picture in written.values()} == {1}
    assert {str(Path(name).parent) for name in written} == {FOLDER.replace("comp6", "comp5")}


@pytest.mark.parametrize("value", [255, 4])
def test_a_pixel_without_a_class_is_refused_and_nothing_is_left(project, predict, value):
    project()
    predict(labels=lambda _, size: np.full(size, value))
    with pytest.raises(InputError, match=f"predictions/mine: image a-1: labels holds {value}, which is no class"):
        export_voc_server("mine", OUT, dataset=DATASET)
    assert list(OUT.parent.iterdir()) == []


def test_a_class_that_voc_lacks_is_named(project, predict):
    project(classes=["cat", "zebra", "airplane"])
    predict(labels=stripes)
    with pytest.raises(InputError, match="class zebra, airplane: not among VOC's 20 classes"):
        export_voc_server("mine", OUT, dataset=DATASET)


def test_ids_are_those_of_the_development_kit():
    ids = to_voc(["background", "tvmonitor", "diningtable", "aeroplane"])
    assert ids[:4].tolist() == [0, 20, 11, 1] and set(ids[4:].tolist()) == {255}


def test_an_archive_that_fails_the_check_is_not_written(project, predict):
    """The data set has grown since the run was predicted."""
    project()
    predict(labels=stripes)
    OUT.parent.mkdir()
    OUT.write_text("older")
    project({**SIZES, "new": (2, 2)})
    with pytest.raises(InputError, match=f"mine.tar.gz: not written: {FOLDER}/new.png: missing"):
        export_voc_server("mine", OUT, dataset=DATASET)
    assert OUT.read_text() == "older" and len(list(OUT.parent.iterdir())) == 1


def test_images_in_folders_are_refused(project, predict):
    project({"farm/cow": (2, 2)})
    predict(labels=stripes)
    with pytest.raises(InputError, match="image farm/cow: the server has no folders"):
        export_voc_server("mine", OUT, dataset=DATASET)
    assert not OUT.exists()
    assert [is_plain(n) for n in ("a b", "..", ".", "", "../a", "a\\b", "a\0")] == [True] + [False] * 6


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"run": "other"}, "other: no such run below data/predictions; there are: mine"),
        ({"run": "../predictions/mine"}, "no such run"),
        ({"split": "test"}, "data/predictions/mine: no predictions of split test; there are: val"),
        ({"split": "../x"}, "--split ../x: VOC's server knows val and test"),
        ({"comp": "comp7"}, "--comp comp7: VOC's server knows comp5 and comp6"),
        ({"out": Path("data")}, "data: is a folder; name a file in it"),
    ],
)
def test_what_is_not_there_is_named(project, predict, given, message):
    project()
    predict(labels=stripes)
    with pytest.raises(InputError, match=message):
        export_voc_server(**{"run": "mine", "out": OUT, "dataset": DATASET, **given})


def test_memory_does_not_grow_with_the_data_set(project, predict):
    """40 label maps of 256 KiB take no more than 8."""

    def peak(images: int) -> int:
        project({f"{i:02d}": (512, 512) for i in range(images)})
        predict(labels=stripes)
        tracemalloc.start()
        export_voc_server("mine", OUT, dataset=DATASET)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(1)  # what is imported late is imported now
    assert peak(40) < peak(8) + 2**19
