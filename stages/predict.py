"""What a segmenter says of images whose tags it is not told: a label map per image, with a dense CRF a second one."""

from pathlib import Path

import pandas as pd
from numpy.typing import NDArray

from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.models.prediction import Prediction, labels_after_crf, labels_of
from wsss_core.models.saved import load_segmenter
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, padded, write_store


def main(*, dataset: Path, segmenter: Path, out: Path) -> None:
    params = load_params()
    sections = [section(params, "budget"), section(params, "predict")]
    budget, chosen = bind(Budget, sections[0], "budget"), bind(Prediction, sections[1], "predict")
    photos = Dataset(dataset)
    model, _ = load_segmenter(segmenter, classes=photos.classes)
    model = model.to(default_device())
    table = photos.cue_table(chosen.splits or photos.held_out_splits)

    names = ["labels", "labels_crf"] if chosen.crf else ["labels"]
    arrays = dict.fromkeys(names, ArraySpec.labels(padded(table, "y", "x")))

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, float]]]:
        pictures = photos.photos(rows["dataset_row"].tolist())
        maps: dict[str, list[NDArray]] = {name: [] for name in arrays}
        for i, logits in chosen.scores(model, pictures, size=budget.size):
            maps["labels"].append(labels_of(logits))
            if chosen.crf:
                maps["labels_crf"].append(labels_after_crf(chosen.crf, pictures[i], logits))
        return maps, [{"background": float((map_ == 0).mean())} for map_ in maps["labels"]]

    write_store(
        out,
        compute,
        table=table,
        arrays=arrays,
        key=fingerprint(sections, dataset / "photos", segmenter),
        attributes={"classes": list(photos.classes)},
    )


if __name__ == "__main__":
    run(main, "predict")
