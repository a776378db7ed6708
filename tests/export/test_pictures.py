"""Pictures of every kind are read as ingest reads them, a window at a time."""

import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_core.export import pictures
from wsss_core.export.pictures import list_pictures, read_picture, windows
from wsss_core.stage import InputError


def save(path: Path, array, mode: str | None = None, **options) -> Path:
    picture = Image.fromarray(np.asarray(array, np.uint8))
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


@pytest.mark.parametrize(("name", "mode"), [("a.png", "RGBA"), ("a.png", "L"), ("a.png", "P"), ("a.jpg", "L")])
def test_grey_and_transparent_pictures_become_rgb(tmp_path, name, mode):
    picture = read_picture(save(tmp_path / name, np.full((6, 9, 3), 51), mode))
    assert (picture.height, picture.width) == (6, 9)
    assert picture.photo.shape == (6, 9, 3) and (picture.photo == 51).all()


def test_colours_are_red_green_blue_and_exif_turns(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    array = np.zeros((6, 9, 3))
    array[-1] = 200, 100, 0  # the lowest row becomes the left column
    picture = read_picture(save(tmp_path / "a.png", array, exif=exif))
    assert (picture.height, picture.width) == (9, 6)
    assert picture.photo[:, 0].tolist() == [[200, 100, 0]] * 9 and not picture.photo[:, 1:].any()


def test_a_large_picture_is_shrunk_and_keeps_its_true_size(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 100)
    picture = read_picture(save(tmp_path / "a.png", np.full((20, 80, 3), 7)))
    assert (picture.height, picture.width) == (20, 80) and picture.photo.shape == (5, 20, 3)
    assert read_picture(save(tmp_path / "b.png", np.full((1, 900, 3), 7))).photo.shape == (1, 300, 3)


def test_only_pictures_are_listed(tmp_path):
    for name in ("b.JPG", "a.png", ".hidden.png", "notes.txt", "c.tiff"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "gone.png").symlink_to("nowhere")
    assert [path.name for path in list_pictures(tmp_path)] == ["a.png", "b.JPG", "c.tiff", "gone.png"]


def test_folders_that_cannot_be_labelled_are_refused(tmp_path):
    with pytest.raises(InputError, match="none: no such folder"):
        list_pictures(tmp_path / "none")
    with pytest.raises(InputError, match=r"no picture in it \(\.bmp, "):
        list_pictures(tmp_path)
    for name in ("a.jpg", "a.png"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"a\.png: would be written over a\.jpg, both as a\.png; rename"):
        list_pictures(tmp_path)


def test_bad_pictures_are_named_and_left_out(tmp_path):
    good = save(tmp_path / "good.png", np.random.default_rng(0).integers(0, 256, (40, 40, 3)))
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:-2000])
    (tmp_path / "gone.png").symlink_to("nowhere")
    said: list[str] = []
    (window,) = windows(list_pictures(tmp_path), said.append)
    assert [picture.path for picture in window] == [good]
    assert [line.removeprefix(f"{tmp_path}/").split(" (")[0].split(";")[0] for line in said] == [
        "cut.png: truncated or damaged picture",
        "gone.png: cannot be read",
        "text.png: not a picture",
    ]


def test_no_more_than_two_windows_are_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "WINDOW", 3)
    paths = [save(tmp_path / f"{i:02d}.png", np.full((4, 4, 3), i)) for i in range(10)]
    alive: weakref.WeakSet = weakref.WeakSet()

    def read(path):
        picture = read_picture(path)
        alive.add(picture)
        assert len(alive) <= 6
        return picture

    monkeypatch.setattr(pictures, "read_picture", read)
    seen = [picture.path for window in windows(paths, pytest.fail) for picture in window]
    assert seen == paths
