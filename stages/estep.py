"""A materialised E-step: what the segmenter says of each image, given the image's own labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.em.label_posterior import LabelPosterior
from wsss_core.models.inference import infer_maps
from wsss_core.models.saved import load_segmenter
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, open_store, padded, write_store
from wsss_core.stores.layout import quantise


@dataclass(frozen=True, kw_only=True)
class StoredEStep(LabelPosterior):
    """A section of `estep`; without `splits`, all but val and test. The rest is in `LabelPosterior`.

    Attributes:
        kind: `posterior` (Hou et al. 2016): probabilities over the image's labels, an array `posterior`. `adapt`
            (Chaudhry et al. 2017): the most likely of them, an array `labels`.
        scales, mirror, join: views of a photo, and how their scores become one.
    """

    kind: Literal["posterior", "adapt"] = "posterior"
    join: Literal["mean", "max"] = "mean"
    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False
    splits: tuple[str, ...] | None = None


def main(*, settings: str, dataset: Path, segmenter: Path, cues: Path, out: Path) -> None:
    params = load_params()
    names = ["budget", f"estep.{settings}"]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(StoredEStep, sections[1], names[1])
    photos, device = Dataset(dataset), default_device()
    model, _ = load_segmenter(segmenter, classes=photos.classes)
    model = model.to(device)
    mined = open_store(cues) if chosen.cue_weight else None
    table = photos.cue_table(chosen.splits or photos.training_splits)
    dims = ("label", "y", "x")
    arrays = {
        "posterior": {"posterior": ArraySpec.soft(dims, padded(table, *dims))},
        "adapt": {"labels": ArraySpec.labels(padded(table, "y", "x"))},
    }

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, float]]]:
        pictures = photos.photos(rows["dataset_row"].tolist())
        scores = infer_maps(
            model,
            pictures,
            size=budget.size,
            stride=model.output_stride,
            scales=chosen.scales,
            mirror=chosen.mirror,
            join=chosen.join,
            device=device,
        )
        maps, statistics = [], []
        images = zip(scores, rows["image_id"], rows["class_ids"], rows["dataset_row"], pictures, strict=True)
        for (_, logits), image_id, class_ids, row, photo in images:
            labels = np.asarray([0, *class_ids], np.uint8)
            cue = mined.read("labels", mined.row_of(image_id)) if mined and image_id in mined else None
            posterior, figures = chosen(logits, labels, photo, cue, seed=int(row))
            best = posterior.argmax(0)
            figures |= {"background": float((best == 0).mean())}
            if chosen.kind == "posterior":
                figures |= {"mean_confidence": float(np.mean(posterior.max(0)))}
            maps.append(labels[best] if chosen.kind == "adapt" else quantise(posterior))
            statistics.append(figures)
        return dict.fromkeys(arrays[chosen.kind], maps), statistics

    write_store(
        out,
        compute,
        table=table,
        arrays=arrays[chosen.kind],
        key=fingerprint(sections, dataset / "photos", segmenter, *([cues] if mined else [])),
        attributes={"classes": list(photos.classes)},
    )


if __name__ == "__main__":
    run(main, "estep")
