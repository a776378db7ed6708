"""What a segmenter says of images whose tags it is not told: a label map per image, with a dense CRF a second one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from wsss_core.crf import DenseCRF
from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.models.inference import infer_maps
from wsss_core.models.saved import load_segmenter
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, padded, write_store


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Section `predict`; without `splits`, val and test, or all images where there is neither.

    With `crf`, the settings of a `DenseCRF`, there are also the labels that it makes of the network's probabilities.
    """

    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False
    join: Literal["mean", "max"] = "mean"
    crf: DenseCRF | None = None
    splits: tuple[str, ...] | None = None


def main(*, dataset: Path, segmenter: Path, out: Path) -> None:
    params = load_params()
    sections = [section(params, "budget"), section(params, "predict")]
    budget, chosen = bind(Budget, sections[0], "budget"), bind(Prediction, sections[1], "predict")
    photos, device = Dataset(dataset), default_device()
    model, _ = load_segmenter(segmenter, classes=photos.classes)
    model = model.to(device)
    table = photos.cue_table(chosen.splits or photos.held_out_splits)

    names = ["labels", "labels_crf"] if chosen.crf else ["labels"]
    arrays = dict.fromkeys(names, ArraySpec.labels(padded(table, "y", "x")))

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
        maps: dict[str, list[NDArray]] = {name: [] for name in arrays}
        for i, logits in scores:
            maps["labels"].append(_labels(logits))
            if chosen.crf:
                maps["labels_crf"].append(_labels(chosen.crf(pictures[i], probabilities(logits))))
        return maps, [{"background": float((map_ == 0).mean())} for map_ in maps["labels"]]

    write_store(
        out,
        compute,
        table=table,
        arrays=arrays,
        key=fingerprint(sections, dataset / "photos", segmenter),
        attributes={"classes": list(photos.classes)},
    )


def probabilities(logits: torch.Tensor) -> NDArray | torch.Tensor:
    """Softmax over the first axis, where the CRF is fastest: numpy on a CPU, torch on a GPU."""
    soft = logits.softmax(0)
    return soft if soft.is_cuda else soft.numpy()


def _labels(scores: NDArray | torch.Tensor) -> NDArray:
    """uint8 (H, W) of scores (C, H, W)."""
    if isinstance(scores, torch.Tensor):  # max gives the label that argmax gives, in a tenth of its time on a CPU
        return scores.max(0).indices.cpu().numpy().astype(np.uint8)
    return scores.argmax(0).astype(np.uint8)


if __name__ == "__main__":
    run(main, "predict")
