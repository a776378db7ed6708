"""Which images the page shows: a few of every class, those that erasing changed most, those that are labelled worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wsss_core.data.dataset import Dataset
from wsss_core.report.results import Evaluation

Chosen = dict[str, dict[str, str]]  # heading → image id → what to say about the image there


def choose_drawn(dataset: Dataset, splits: Sequence[str], *, images: int, seed: int) -> Chosen:
    """About `images` images, drawn in equal numbers from each split, under its name.

    Args:
        splits: those that the data set lacks are left out.
        seed: of the choice.
    """
    table = dataset.table
    present = [split for split in splits if split in set(table["split"])]
    chosen = {}
    for split in present:
        members = table[table["split"] == split]
        class_ids = {name: list(ids) for name, ids in zip(members["image_id"], members["class_ids"], strict=True)}
        chosen[split] = dict.fromkeys(choose_images(class_ids, -(-images // len(present)), seed=seed), "")
    return chosen


def choose_erased(evaluations: Sequence[Evaluation], split: str) -> Chosen:
    """The images of a split that erasing the salient helped most and hurt most."""
    found = next((e.splits[split] for e in evaluations if e.kind == "erasing" and split in e.splits), {})
    groups = {f"{split}, where erasing {key} most": found.get(key, []) for key in ("helped", "hurt")}
    return {heading: dict.fromkeys(names, "") for heading, names in groups.items() if names}


def choose_worst(evaluations: Sequence[Evaluation], split: str, main: Mapping[str, str]) -> Chosen:
    """The images of a split with the lowest mIoU of each method's main run, the lowest first.

    Args:
        main: run by method.
    """
    worst = {e.name: e.splits[split].get("worst", {}) for e in evaluations if e.kind == "runs" and split in e.splits}
    return {
        f"{method}: {run} on {split}": {image_id: f"mIoU {100 * miou:.1f}" for image_id, miou in worst[run].items()}
        for method, run in main.items()
        if worst.get(run)
    }


def choose_images(class_ids: Mapping[str, Sequence[int]], count: int, *, seed: int) -> list[str]:
    """Draw images at random, each the next one that shows a class shown least so far.

    Args:
        class_ids: the present classes of each image that may be drawn.
        count: how many to draw; all are taken where there are fewer.
        seed: of the order in which images are considered.

    Returns:
        Image ids in the order drawn.
    """
    names = sorted(class_ids)
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    shown = dict.fromkeys(sorted({int(c) for ids in class_ids.values() for c in ids}), 0)
    chosen: list[str] = []
    while order and len(chosen) < count:
        # min keeps the first of equals, so the drawn order decides between images that serve the same need
        image_id = min(order, key=lambda name: min((shown[int(c)] for c in class_ids[name]), default=count))
        order.remove(image_id)
        chosen.append(image_id)
        for class_id in class_ids[image_id]:
            shown[int(class_id)] += 1
    return chosen
