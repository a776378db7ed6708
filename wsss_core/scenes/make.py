"""Writing the embedded data set: scenes in VOC's layout, easy single objects, pairs for the saliency detector."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsss_core.scenes.annotate import annotation_xml, class_mask, class_names, salient_mask, voc_palette
from wsss_core.scenes.parts import CLASSES
from wsss_core.scenes.scene import Scene, easy_scene, thing_scene, voc_scene

KINDS = ("train", "val", "easy", "saliency")
_FOLDERS = (
    "voc/JPEGImages",
    "voc/SegmentationClass",
    "voc/Annotations",
    "voc/ImageSets/Segmentation",
    "easy/JPEGImages",
    "saliency/JPEGImages",
    "saliency/SaliencyMasks",
    "saliency/ImageSets",
)


class _Job(NamedTuple):
    root: Path
    seed: int
    size: int
    kind: str
    number: int

    @property
    def image_id(self) -> str:
        return f"{self.kind}_{self.number:05d}"


def make_scenes(
    out: Path, *, seed: int, size: int, train: int, val: int, easy: int, saliency: int, workers: int = 2
) -> None:
    """Draw the data set into the folder `out`; the same arguments give the same bytes, whatever `workers` is.

    `out/voc` is in VOC's layout with an image_labels.json, `out/easy` has photos of one object each and their labels,
    `out/saliency` has photos of things of no class and grey masks (0 or 255) of what stands out. An image depends on
    the seed, its kind and its number only, so more images leave the others as they are.

    Args:
        out: replaced as a whole when everything is written; until then the work is beside it, in `<out>.partial`.
        seed: 0 or more.
        size: long side of the photos, 64..1024 pixels.
        train, val: photos in out/voc, at least 1 each.
        easy: photos in out/easy, at least 1.
        saliency: pairs in out/saliency, at least 2; a tenth is for validation.
        workers: processes.

    Raises:
        ValueError: a number out of its range.
    """
    _check(seed=seed, size=size, train=train, val=val, easy=easy, saliency=saliency, workers=workers)
    out = Path(out)
    building = out.with_name(out.name + ".partial")
    shutil.rmtree(building, ignore_errors=True)
    try:
        for folder in _FOLDERS:
            (building / folder).mkdir(parents=True)
        counts = dict(zip(KINDS, (train, val, easy, saliency), strict=True))
        jobs = [_Job(building, seed, size, kind, number) for kind in KINDS for number in range(counts[kind])]
        names = dict(zip((job.image_id for job in jobs), _make_all(jobs, workers), strict=True))
        _write_lists(building, jobs, names)
        if out.exists():
            shutil.rmtree(out)
        os.replace(building, out)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _check(**numbers: int) -> None:
    least = {"seed": 0, "size": 64, "saliency": 2}
    for key, number in numbers.items():
        if number < least.get(key, 1):
            raise ValueError(f"{key}: expected at least {least.get(key, 1)}, got {number}")
    if numbers["size"] > 1024:
        raise ValueError(f"size: expected at most 1024, got {numbers['size']}")


def _make_all(jobs: list[_Job], workers: int) -> list[list[str]]:
    if workers == 1:
        return [_make_image(job) for job in jobs]
    # Fresh processes: a fork of a process with threads (OpenCV's, a caller's) may hang.
    with ProcessPoolExecutor(workers, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        return list(pool.map(_make_image, jobs, chunksize=8))


def _make_image(job: _Job) -> list[str]:
    """Draw one image and write its files; the names of its classes."""
    rng = np.random.default_rng((job.seed, KINDS.index(job.kind), job.number))
    class_id = job.number % len(CLASSES) + 1  # every class equally often first, so small sets have them all
    if job.kind == "saliency":
        scene = thing_scene(rng, job.size)
        _write_photo(job, "saliency", scene)
        Image.fromarray(salient_mask(scene)).save(job.root / "saliency/SaliencyMasks" / f"{job.image_id}.png")
        return []
    if job.kind == "easy":
        scene = easy_scene(rng, job.size, class_id)
        _write_photo(job, "easy", scene)
    else:
        scene = voc_scene(rng, job.size, class_id)
        _write_photo(job, "voc", scene)
        _write_mask(job.root / "voc/SegmentationClass" / f"{job.image_id}.png", class_mask(scene))
        xml = annotation_xml(scene, job.image_id)
        (job.root / "voc/Annotations" / f"{job.image_id}.xml").write_bytes(xml)
    return class_names(scene)


def _write_photo(job: _Job, folder: str, scene: Scene) -> None:
    _, data = cv2.imencode(".jpg", scene.photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    (job.root / folder / "JPEGImages" / f"{job.image_id}.jpg").write_bytes(data.tobytes())


def _write_mask(path: Path, mask: NDArray[np.uint8]) -> None:
    image = Image.fromarray(mask)
    image.putpalette(voc_palette().tobytes())  # turns the grey picture into one of palette indices
    image.save(path)


def _write_lists(root: Path, jobs: list[_Job], names: dict[str, list[str]]) -> None:
    ids = {kind: [job.image_id for job in jobs if job.kind == kind] for kind in KINDS}
    held_out = max(len(ids["saliency"]) // 10, 1)
    _write_lines(root / "voc/ImageSets/Segmentation/train.txt", ids["train"])
    _write_lines(root / "voc/ImageSets/Segmentation/val.txt", ids["val"])
    _write_lines(root / "saliency/ImageSets/train.txt", ids["saliency"][:-held_out])
    _write_lines(root / "saliency/ImageSets/val.txt", ids["saliency"][-held_out:])
    for folder, listed in {"voc": ids["train"] + ids["val"], "easy": ids["easy"]}.items():
        _write_lines(root / folder / "classes.txt", CLASSES)
        tags = {image_id: names[image_id] for image_id in listed}
        (root / folder / "image_labels.json").write_text(json.dumps(tags, indent=2) + "\n")


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))
