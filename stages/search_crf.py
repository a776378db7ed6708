"""Which settings of the dense CRF serve a segmenter best, on images with masks that no result is reported on."""

import itertools
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from wsss_core.crf import DenseCRF
from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.evaluation import Scores, confusion_matrix
from wsss_core.models.prediction import Prediction
from wsss_core.models.saved import load_segmenter
from wsss_core.stage import InputError, bind, load_params, section, whole_folder
from wsss_core.stage.command import run
from wsss_core.stores import open_store

log = logging.getLogger(__name__)

SEARCHED = ("gaussian_sigma", "gaussian_weight", "bilateral_xy", "bilateral_rgb", "bilateral_weight")
AT_ONCE = 16  # photos decoded at a time


@dataclass(frozen=True, kw_only=True)
class Search:
    """Section `search_crf`: images, and the values that are tried in every combination.

    Attributes:
        images: how many images with masks, drawn from `split`; all of them where there are fewer.
        split: never one that results are reported on.
        min_labels: classes an image must have; 2 leaves out the single-object images that a run was trained on.
        seed: of the draw.
        scales, mirror, join: of the network's run, see `predict`.
    """

    images: int = 100
    split: str = "train"
    min_labels: int = 2
    seed: int = 0
    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False
    join: Literal["mean", "max"] = "mean"
    gaussian_sigma: tuple[float, ...] = (3.0,)
    gaussian_weight: tuple[float, ...] = (3.0,)
    bilateral_xy: tuple[float, ...] = (30.0, 50.0, 80.0)
    bilateral_rgb: tuple[float, ...] = (5.0, 13.0, 20.0)
    bilateral_weight: tuple[float, ...] = (4.0, 10.0)

    def __post_init__(self) -> None:
        if self.images < 1:
            raise ValueError(f"images must be at least 1, got {self.images}")
        for name in SEARCHED:
            if not getattr(self, name):
                raise ValueError(f"{name}: an empty list; give at least one value to try")
        self.candidates()

    def candidates(self) -> list[DenseCRF]:
        """Every combination of the values."""
        values = [getattr(self, name) for name in SEARCHED]
        return [DenseCRF(**dict(zip(SEARCHED, each, strict=True))) for each in itertools.product(*values)]


def main(*, dataset: Path, segmenter: Path, out: Path) -> None:
    params = load_params()
    budget = bind(Budget, section(params, "budget"), "budget")
    search = bind(Search, section(params, "search_crf"), "search_crf")
    how = Prediction(scales=search.scales, mirror=search.mirror, join=search.join)
    photos, candidates = Dataset(dataset), search.candidates()
    model, _ = load_segmenter(segmenter, classes=photos.classes)
    model = model.to(default_device())
    if search.split in photos.held_out_splits:
        raise InputError(f"search_crf.split: results are reported on {search.split}; choose settings on another split")
    masks = open_store(dataset / "masks") if (dataset / "masks").is_dir() else None
    table = photos.cue_table([search.split])
    table = table[table["n_classes"] >= search.min_labels]
    table = table[[masks is not None and image_id in masks for image_id in table["image_id"]]]
    if masks is None or table.empty:
        raise InputError(f"{dataset}: no image of {search.split} has a mask and {search.min_labels} or more classes")
    table = table.sample(min(search.images, len(table)), random_state=search.seed).sort_values("dataset_row")
    n = len(photos.classes)
    counts = np.zeros((len(candidates) + 1, n, n + 1), np.int64)  # the first without a CRF
    for begin in range(0, len(table), AT_ONCE):
        rows = table.iloc[begin : begin + AT_ONCE]
        pictures = photos.photos(rows["dataset_row"].tolist())
        for i, logits in how.scores(model, pictures, size=budget.size):
            truth = masks.read("labels", masks.row_of(rows["image_id"].iloc[i]))
            probabilities = logits.softmax(0).cpu().numpy()
            maps = [probabilities, *(crf(pictures[i], probabilities) for crf in candidates)]
            counts += [confusion_matrix(truth, map_.argmax(0).astype(np.uint8), n) for map_ in maps]
        log.info("%d of %d images", begin + len(rows), len(table))
    miou = [Scores(matrix).miou for matrix in counts]
    best = int(np.argmax(miou[1:]))
    tried = [{name: getattr(crf, name) for name in SEARCHED} for crf in candidates]
    found = {
        "images": len(table),
        "split": search.split,
        "settings_tried": len(candidates),
        "miou_without_crf": miou[0],
        "miou": miou[1 + best],
        "crf": tried[best],
    }
    with whole_folder(out) as folder:
        settings = pd.DataFrame(tried).assign(miou=miou[1:])
        settings.to_csv(folder / "settings.csv", index=False, lineterminator="\n")
        (folder / "metrics.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    numbers = ", ".join(f"{name}: {value:g}" for name, value in tried[best].items())
    log.info("on %d images of %s, to be put into params.yaml: predict.crf: {%s}", len(table), search.split, numbers)


if __name__ == "__main__":
    run(main, "search_crf")
