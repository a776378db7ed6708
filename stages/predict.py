"""What a segmenter says of images whose tags it is not told: a label map per image."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.models.inference import infer_maps
from wsss_core.models.saved import load_segmenter
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, write_store


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Section `predict`; without `splits`, val and test, or all images where there is neither."""

    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False
    splits: tuple[str, ...] | None = None


def main(*, dataset: Path, segmenter: Path, out: Path) -> None:
    params = load_params()
    sections = [section(params, "budget"), section(params, "predict")]
    budget, chosen = bind(Budget, sections[0], "budget"), bind(Prediction, sections[1], "predict")
    photos, device = Dataset(dataset), default_device()
    model, _ = load_segmenter(segmenter)
    model = model.to(device)
    table = photos.cue_table(chosen.splits or photos.held_out_splits)

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, float]]]:
        scores = infer_maps(
            model,
            photos.photos(rows["dataset_row"].tolist()),
            size=budget.size,
            stride=model.output_stride,
            scales=chosen.scales,
            mirror=chosen.mirror,
            join="mean",
            device=device,
        )
        labels = [logits.argmax(0).cpu().numpy().astype(np.uint8) for _, logits in scores]
        return {"labels": labels}, [{"background": float((map_ == 0).mean())} for map_ in labels]

    write_store(
        out,
        compute,
        table=table,
        arrays={"labels": ArraySpec.labels((int(table["height"].max()), int(table["width"].max())))},
        key=fingerprint(sections, dataset / "photos", segmenter),
        attributes={"classes": list(photos.classes)},
    )


if __name__ == "__main__":
    run(main, "predict")
