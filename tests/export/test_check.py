"""Every way in which an archive can be wrong is found; a right one passes whoever packed it."""

import io
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_core.data.dataset import Dataset
from wsss_core.export.check import archive_problems
from wsss_core.export.label_png import decode_labels, encode_labels

from .conftest import SIZES

FOLDER = "results/VOC2012/Segmentation/comp6_val_cls"
FILE = Path("sent.tar.gz")
GOOD = {f"{FOLDER}/{image_id}.png": encode_labels(np.full(size, 20, np.uint8)) for image_id, size in SIZES.items()}
A = f"{FOLDER}/a.png"
SIZE = SIZES["a"]


def pack(files, *more) -> None:
    with tarfile.open(FILE, "w:gz") as tar:
        for name, data in [*files.items(), *more]:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def problems() -> list[str]:
    return list(archive_problems(FILE, Dataset(Path("data/dataset"))))


def png(mode: str, colours: bytes = b"", size=SIZE) -> bytes:
    picture = Image.new(mode, size[::-1])
    if colours:
        picture.putpalette(colours)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_a_right_archive_passes(project):
    project()
    pack(GOOD)
    assert problems() == []


def test_one_packed_by_tar_with_its_folders_passes(project):
    project()
    for name, data in GOOD.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(data)
    subprocess.run(["tar", "czf", FILE, "results"], check=True)
    assert problems() == []


def test_a_palette_of_just_the_classes_passes(project):
    project()
    short = bytes([0, 0, 0, 128, 0, 0])
    pack({**GOOD, A: png("P", short)})
    assert problems() == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (encode_labels(np.full(SIZE, 21, np.uint8)), "value 21; VOC's class ids end at 20"),
        (encode_labels(np.full(SIZE, 255, np.uint8)), "value 255"),
        (encode_labels(np.zeros(SIZE[::-1], np.uint8)), "4x2, the photo is 2x4"),
        (png("L"), "mode L; save it as an indexed PNG"),
        (png("RGB"), "mode RGB"),
        (png("P", bytes([0, 0, 0, 0, 128, 0])), "palette is not VOC's"),
        (GOOD[A][:-30], "no PNG, or a damaged one"),
        (b"", "no PNG, or a damaged one"),
        (b"GIF89a", "no PNG, or a damaged one"),
    ],
)
def test_a_wrong_picture_is_named(project, data, message):
    project()
    pack({**GOOD, A: data})
    (problem,) = problems()
    assert problem.startswith(f"{A}: ") and message in problem


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (A, "stands twice"),
        (f"{FOLDER}/t.png", "of an image of the split"),  # of train
        (f"{FOLDER}/a.jpg", "of an image of the split"),
        (f"{FOLDER}/../a.png", "of an image of the split"),
        (f"{FOLDER}/sub/a.png", "of an image of the split"),
        ("results/VOC2012/Segmentation/comp5_val_cls/a.png", "of an image of the split"),
        ("readme.txt", "of an image of the split"),
    ],
)
def test_what_does_not_belong_there_is_named(project, name, message):
    project()
    pack(GOOD, (name, GOOD[A]))
    (problem,) = problems()
    assert problem.startswith(f"{name}: ") and message in problem


def test_links_and_strange_folders_are_named(project):
    project()
    with tarfile.open(FILE, "w:gz") as tar:
        for name, kind in (("results/other", tarfile.DIRTYPE), *dict.fromkeys(GOOD, tarfile.REGTYPE).items()):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE if name == A else kind, "/etc/passwd"
            data = GOOD[name] if name in GOOD and name != A else b""
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    plain = "not a plain file; keep nothing but label maps"
    assert problems() == [
        f"results/other: {plain}",
        f"{A}: {plain}",
        f"{A}: missing; the server wants every image of the split",
    ]


def test_all_that_is_missing_is_named(project):
    project()
    pack({A: GOOD[A]})
    assert [problem.split(": ") for problem in problems()] == [
        [f"{FOLDER}/{image_id}.png", "missing; the server wants every image of the split"] for image_id in ("b", "a-1")
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no file"),
        ({"a.png": GOOD[A]}, r"folder \.: the server expects results/VOC2012/Segmentation/comp6_val_cls"),
        ({f"{FOLDER}x/a.png": GOOD[A]}, "comp6_val_clsx: the server expects"),
        ({A.replace("val", "test"): GOOD[A]}, "data/dataset has no split test"),
    ],
)
def test_an_archive_without_the_servers_folder_is_refused(project, files, message):
    project()
    pack(files)
    (problem,) = problems()
    with pytest.raises(ValueError, match=message):
        raise ValueError(problem)


def test_a_damaged_archive_is_refused(project):
    project()
    pack(GOOD)
    whole = FILE.read_bytes()
    wrong_sum = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    for data in (whole[:-40], whole[:100], wrong_sum, b"", b"no archive", GOOD[A]):
        FILE.write_bytes(data)
        assert any("not a .tar.gz, or a damaged one" in p or "holds no file" in p for p in problems()), data[:10]


def test_labels_and_their_png_are_each_others_inverse():
    labels = np.arange(256, dtype=np.uint8).reshape(32, 8)
    data = encode_labels(labels)
    assert (decode_labels(data, height=32, width=8) == labels).all()
    assert encode_labels(np.asfortranarray(labels)) == data
    colours = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).reshape(-1, 3)
    known = {
        0: (0, 0, 0),
        1: (128, 0, 0),
        2: (0, 128, 0),
        9: (192, 0, 0),
        11: (192, 128, 0),
        15: (192, 128, 128),
        20: (0, 64, 128),
    }
    assert {i: tuple(colours[i].tolist()) for i in known} == known
    with pytest.raises(ValueError, match=r"expected uint8 \(H, W\), got int64"):
        encode_labels(labels.astype(np.int64))
