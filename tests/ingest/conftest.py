"""Tiny data sets in the layouts that `ingest` reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HEIGHT, WIDTH = 6, 8


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def save_photo() -> Callable[..., Path]:
    def save(path: Path, colour: tuple[int, int, int] = (10, 20, 30), size: tuple[int, int] = (HEIGHT, WIDTH)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((*size, 3), colour, np.uint8)).save(path, quality=95)
        return path

    return save


@pytest.fixture
def save_mask() -> Callable[..., Path]:
    def save(path: Path, ids: np.ndarray) -> Path:
        """A palette PNG as VOC's: what is seen are colours, what is meant is the palette's index."""
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(ids.astype(np.uint8), mode="L").convert("P")
        image.putdata(ids.ravel().tolist())
        image.putpalette(list(np.random.default_rng(0).integers(0, 256, 768)))
        image.save(path)
        return path

    return save


@pytest.fixture
def xml() -> Callable[..., str]:
    def text(*objects: tuple[str, tuple[object, object, object, object] | None]) -> str:
        parts = []
        for name, box in objects:
            edges = "".join(
                f"<{e}>{v}</{e}>" for e, v in zip(("xmin", "ymin", "xmax", "ymax"), box or (), strict=False)
            )
            parts.append(f"<object><name>{name}</name>{f'<bndbox>{edges}</bndbox>' if box else ''}</object>")
        return f"<annotation>{''.join(parts)}</annotation>"

    return text


@pytest.fixture
def voc(tmp_path: Path, save_photo: Callable, save_mask: Callable, xml: Callable) -> Path:
    """Classes cat = 1, dog = 2, cow = 3. train: a (cat, dog), b (dog), c (cow); val: d (cow). Masks of a and d."""
    root = tmp_path / "voc"
    for name, colour in {"a": (0, 0, 0), "b": (100, 100, 100), "c": (200, 200, 200), "d": (255, 0, 0)}.items():
        save_photo(root / "JPEGImages" / f"{name}.jpg", colour)
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    ids[0], ids[1], ids[2], ids[3] = 1, 2, 3, 255
    save_mask(root / "SegmentationClass" / "a.png", ids)
    save_mask(root / "SegmentationClass" / "d.png", np.where(ids == 3, 3, 0))
    lists = root / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\nb\nc\n")
    (lists / "val.txt").write_text("d\n")
    (root / "classes.txt").write_text("cat\ndog\ncow\n")
    (root / "image_labels.json").write_text('{"a": ["dog", "cat"], "b": ["dog"], "c": ["cow"], "d": ["cow"]}')
    (root / "Annotations").mkdir()
    (root / "Annotations" / "a.xml").write_text(xml(("cat", (1, 1, 8, 6)), ("dog", (3, 2, 4, 5))))
    (root / "Annotations" / "b.xml").write_text(xml(("dog", (2, 2, 9, 7))))
    (root / "Annotations" / "c.xml").write_text(xml(("cow", None)))
    (root / "Annotations" / "d.xml").write_text(xml(("cow", (1, 3, 8, 3))))
    return root
