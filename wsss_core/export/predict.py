"""A trained network on a folder of pictures: a label map and an overlay each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from wsss_core.data.device import default_device
from wsss_core.export.label_png import encode_labels
from wsss_core.export.output import new_folder
from wsss_core.export.pictures import Picture, list_pictures, windows
from wsss_core.models.folder import DESCRIPTION
from wsss_core.models.prediction import Prediction, labels_after_crf, labels_of
from wsss_core.models.propagation import PropagationNetwork
from wsss_core.models.saved import load_segmenter
from wsss_core.models.segmenter import Segmenter
from wsss_core.report.palette import class_colours, css_colour
from wsss_core.stage import InputError

SEGMENTERS = Path("data/segmenters")
LABELS, OVERLAYS, LEGEND = "labels", "overlays", "classes.json"
LARGEST_SCALE = 8
ONE_SCALE = Prediction()


def find_network(run: str) -> Path:
    """The folder of a saved network: a name below `data/segmenters`, or a path.

    Raises:
        InputError: neither.
    """
    for folder in (SEGMENTERS / run, Path(run)):
        if (folder / DESCRIPTION).is_file():
            return folder
    known = sorted(path.parent.name for path in SEGMENTERS.glob(f"*/{DESCRIPTION}"))
    raise InputError(
        f"{run}: neither a run below {SEGMENTERS} nor a folder with {DESCRIPTION}; runs: {', '.join(known) or 'none'}"
    )


def predict_folder(
    network: Path,
    folder: Path,
    out: Path,
    *,
    size: int,
    how: Prediction = ONE_SCALE,
) -> int:
    """Label every picture of a folder and return how many there are.

    Writes `labels/<stem>.png` (indexed, class ids, the picture's true size), `overlays/<stem>.jpg` (of at most
    `pictures.MOST_PIXELS` pixels) and `classes.json` (id, name, colour).

    Args:
        network: a saved segmenter.
        folder: pictures of any size; their labels are not asked for.
        out: a new or empty folder; appears when all pictures are done.
        size: long side of a picture at scale 1, in pixels.
        how: scales and how their scores are joined; with a CRF the labels that it makes.

    Raises:
        InputError: settings out of range, no network or picture, two pictures of one stem, `out` is taken; or, when all
            others are written, pictures that could not be read, each named on stderr.
    """
    if size < 32:
        raise InputError(f"--size {size}: expected at least 32 pixels")
    if not (how.scales and all(0 < scale <= LARGEST_SCALE for scale in how.scales)):
        raise InputError(f"--scales {','.join(map(str, how.scales))}: expected factors above 0, up to {LARGEST_SCALE}")
    paths = list_pictures(folder)
    model, classes = _load(network)
    failed: list[str] = []
    with new_folder(out) as building, _progress() as progress:
        task = progress.add_task(str(folder), total=len(paths))

        def complain(problem: str) -> None:
            failed.append(problem)
            progress.console.print(f"skipped {problem}", markup=False, highlight=False, soft_wrap=True)
            progress.advance(task)

        for name in (LABELS, OVERLAYS):
            (building / name).mkdir()
        (building / LEGEND).write_text(_legend(classes), encoding="utf-8")
        for window in windows(paths, complain):
            for picture, labels in label_maps(model, window, size=size, how=how):
                _write(building, picture, labels)
                progress.advance(task)
        if len(failed) == len(paths):
            raise InputError(f"{folder}: none of its {len(paths)} pictures can be read; nothing was written")
    if failed:
        raise InputError(
            f"{folder}: {len(failed)} of {len(paths)} pictures skipped, named above; the others are in {out}"
        )
    return len(paths)


def label_maps(
    model: Segmenter | PropagationNetwork, pictures: Sequence[Picture], *, size: int, how: Prediction
) -> Iterator[tuple[Picture, np.ndarray]]:
    """Each picture with its class ids, uint8 (h, w) like its photo."""
    for i, logits in how.scores(model, [picture.photo for picture in pictures], size=size):
        labels = labels_after_crf(how.crf, pictures[i].photo, logits) if how.crf else labels_of(logits)
        yield pictures[i], labels


def overlay(photo: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A photo, RGB uint8 (H, W, 3), half covered by the colours of its labels, uint8 (H, W), but for background."""
    covered = cv2.addWeighted(photo, 0.5, class_colours()[labels], 0.5, 0)
    return np.where((labels == 0)[..., None], photo, covered)


def _load(network: Path) -> tuple[Segmenter | PropagationNetwork, list[str]]:
    model, description = load_segmenter(network)
    classes = description.get("classes")
    if not classes:
        raise InputError(f"{network / DESCRIPTION}: names no classes; predict wants a network that segments classes")
    return model.to(default_device()), classes


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _legend(classes: Sequence[str]) -> str:
    rows = [{"id": i, "name": name, "colour": css_colour(i)} for i, name in enumerate(classes)]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def _write(folder: Path, picture: Picture, labels: np.ndarray) -> None:
    shown = overlay(picture.photo, labels)
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(shown, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
    if not done:
        raise InputError(f"{picture.path}: its overlay cannot be saved as JPEG; remove or shrink the picture")
    (folder / OVERLAYS / f"{picture.path.stem}.jpg").write_bytes(encoded.tobytes())
    full = cv2.resize(labels, (picture.width, picture.height), interpolation=cv2.INTER_NEAREST)
    (folder / LABELS / f"{picture.path.stem}.png").write_bytes(encode_labels(full))
