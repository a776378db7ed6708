"""Stage `evaluate`: an artifact's labels, posteriors or attention against the true masks, split by split."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from wsss_core.evaluation import (
    Scores,
    confusion_matrix,
    label_summary,
    prediction_summary,
    strength_counts,
    threshold_matrices,
)
from wsss_core.evaluation.erasing import erasing_summary, step_ious
from wsss_core.stage import InputError, whole_file
from wsss_core.stage.command import run
from wsss_core.stores import Store, open_store

CRF = "labels_crf"
ARRAYS = {
    "runs": ("labels", "posterior"),
    "labels": ("labels", "posterior"),
    "curves": ("attention",),
    "erasing": ("saliency",),
}
THRESHOLDS = [step / 100 for step in range(101)]
WORST = 3  # images of a split that a run's file names


class Scored(NamedTuple):
    """One image with a mask: its id and split, the mask, the artifact's array, the classes of that array's planes."""

    image_id: str
    split: str
    truth: np.ndarray
    values: np.ndarray
    class_ids: list[int]


def main(*, store: Path, truth: Path, kind: str, out: Path) -> None:
    """Score an artifact and write one JSON file; without any mask its `splits` are empty.

    Args:
        store: artifact with an array `labels`, `posterior` (its argmax is scored), `attention` or `saliency`.
        truth: the data set, or its label store of masks.
        kind: `runs` (predictions; an array `labels_crf` is scored beside them), `labels` (partial labels), `curves`
            (attention at every background threshold) or `erasing` (saliency step by step).
        out: the JSON file.
    """
    if kind not in ARRAYS:
        raise InputError(f"--kind {kind}: expected one of {', '.join(ARRAYS)}")
    artifact, masks = open_store(store), _open_masks(truth)
    classes = artifact.meaning.get("classes", [])
    if masks is not None and masks.meaning["classes"] != classes:
        raise InputError(
            f"{store}: made for the classes {', '.join(classes)}, but {masks.path} has "
            f"{', '.join(masks.meaning['classes'])}; run `dvc repro` so that both come from one data set"
        )
    scored = _steps(artifact, masks) if kind == "erasing" else _score(artifact, masks, ARRAYS[kind], kind)
    result = {"kind": kind, "name": out.stem, **scored}
    for split, energies in _energies(artifact).items():
        if split in result["splits"]:
            result["splits"][split] |= energies
    if kind == "runs" and CRF in artifact.arrays:
        result["crf"] = _score(artifact, masks, (CRF,), kind)["splits"]
    with whole_file(out) as building:
        building.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _score(artifact: Store, masks: Store | None, arrays: tuple[str, ...], kind: str) -> dict[str, Any]:
    """Every split's summary, a run's also with the images of lowest mIoU, and how many images have no mask."""
    classes = artifact.meaning.get("classes", [])
    counts: dict[str, np.ndarray] = {}
    images: dict[str, int] = {}
    alone: dict[str, dict[str, float]] = {}
    for image in _scored_images(artifact, masks, arrays) if masks is not None else ():
        found = _count(kind, image, len(classes))
        counts[image.split] = counts[image.split] + found if image.split in counts else found
        images[image.split] = images.get(image.split, 0) + 1
        if kind == "runs" and found.any():
            alone.setdefault(image.split, {})[image.image_id] = Scores(found).miou
    splits = {split: _summary(kind, counts[split], classes, images[split]) for split in counts if counts[split].any()}
    for split, mious in alone.items():
        splits[split]["worst"] = {name: mious[name] for name in sorted(mious, key=lambda n: (mious[n], n))[:WORST]}
    return {"without_mask": len(artifact) - sum(images.values()), "splits": splits}


def _steps(artifact: Store, masks: Store | None) -> dict[str, Any]:
    """What every split's saliency is worth after each erasing, and how many images have no mask."""
    ious: dict[str, dict[str, list[float]]] = {}
    for image in _scored_images(artifact, masks, ARRAYS["erasing"]) if masks is not None else ():
        ious.setdefault(image.split, {})[image.image_id] = step_ious(image.values, image.truth)
    return {
        "without_mask": len(artifact) - sum(map(len, ious.values())),
        "splits": {split: erasing_summary(found) for split, found in ious.items()},
    }


def _energies(artifact: Store) -> dict[str, dict[str, float]]:
    """Each split's means of both energies in the artifact's index (the stage refine has them).

    They are compared with each other, so an image without a confident region, which has but one, counts in neither.
    """
    columns = ["energy", "energy_mined"]
    if not set(columns) <= set(artifact.table):
        return {}
    means = artifact.table.dropna(subset=columns).groupby("split")[columns].mean()
    return {str(split): row.to_dict() for split, row in means.iterrows()}


def _open_masks(truth: Path) -> Store | None:
    folder = truth / "masks" if (truth / "dataset.json").is_file() else truth
    if not folder.exists() and (folder.parent / "dataset.json").is_file():
        return None  # a data set of photos and tags alone
    return open_store(folder)


def _scored_images(store: Store, masks: Store, arrays: tuple[str, ...]) -> Iterator[Scored]:
    """Walk the artifact shard by shard, leaving out images without a mask."""
    name = next((name for name in arrays if name in store.arrays), None)
    if name is None:
        raise InputError(f"{store.path}: holds {', '.join(store.arrays)}, expected {' or '.join(arrays)}")
    ids, splits, class_ids = (store.table[column].tolist() for column in ("image_id", "split", "class_ids"))
    shard_rows = store.meaning["shard_rows"]
    for begin in range(0, len(store), shard_rows):
        rows = range(begin, min(begin + shard_rows, len(store)))
        if not any(ids[row] in masks for row in rows):
            continue
        for row, values in zip(rows, store.read_rows(name, rows), strict=True):
            if ids[row] in masks:
                truth = masks.read("labels", masks.row_of(ids[row]))
                if values.shape[-2:] != truth.shape:
                    raise InputError(
                        f"{store.path}: image {ids[row]!r} is {values.shape[-2:]}, its mask {truth.shape}; "
                        "run `dvc repro` so that both come from one data set"
                    )
                yield Scored(ids[row], splits[row], truth, values, [int(class_id) for class_id in class_ids[row]])


def _count(kind: str, image: Scored, n_classes: int) -> np.ndarray:
    if kind == "curves":
        return strength_counts(image.truth, image.values, image.class_ids, THRESHOLDS, n_classes)
    labels = image.values
    if labels.ndim == 3:  # a posterior over background and the present classes
        labels = np.array([0, *image.class_ids], np.uint8)[labels.argmax(axis=0)]
    return confusion_matrix(image.truth, labels, n_classes)


def _summary(kind: str, counts: np.ndarray, classes: list[str], images: int) -> dict[str, Any]:
    if kind == "runs":
        return prediction_summary(Scores(counts), classes, images)
    if kind == "labels":
        return label_summary(Scores(counts), classes, images)
    miou = [Scores(matrix).miou for matrix in threshold_matrices(counts)]
    best = int(np.argmax(miou))
    return {
        "thresholds": THRESHOLDS,
        "miou": miou,
        "best_threshold": THRESHOLDS[best],
        "best_miou": miou[best],
        "images": images,
    }


if __name__ == "__main__":
    run(main, "evaluate")
