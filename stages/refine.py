"""Pseudo-labels of the training images after propagation, the energies, and pictures of the affinities."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from wsss_core.affinity.energy import energy, mined_energy
from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.em.posterior import Absent, class_restricted_posterior, mixed_with_labels
from wsss_core.models.inference import infer_maps
from wsss_core.models.propagation import PropagationNetwork
from wsss_core.models.saved import load_segmenter
from wsss_core.stage import InputError, bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, open_store, padded, write_store
from wsss_core.stores.layout import quantise


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """Section `refine`; without `splits`, all but val and test.

    Attributes:
        scales, mirror: views of a photo, whose maps are averaged.
        absent, cue_weight: what becomes of the probability of classes that the image lacks, and the share of the seeds
            in the refined labels (not in the energies), see `estep`.
    """

    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False
    absent: Absent = "drop"
    cue_weight: float = 0.0
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.cue_weight < 0.5:
            raise ValueError(f"cue_weight must lie in [0, 0.5), got {self.cue_weight}")


def main(*, dataset: Path, segmenter: Path, labels: Path, cues: Path, out: Path) -> None:
    params = load_params()
    sections = [section(params, "budget"), section(params, "refine")]
    budget, chosen = bind(Budget, sections[0], "budget"), bind(Refinement, sections[1], "refine")
    photos, device, mined = Dataset(dataset), default_device(), open_store(labels)
    seeds = open_store(cues) if chosen.cue_weight else None
    model, _ = load_segmenter(segmenter, classes=photos.classes)
    if not isinstance(model, PropagationNetwork):
        raise InputError(f"{segmenter}: expected a propagation network; run the stage train_affinity")
    model = model.to(device)
    table = photos.cue_table(chosen.splits or photos.training_splits)
    table = table[table["image_id"].isin(mined.table["image_id"])].reset_index(drop=True)
    shape = padded(table, "y", "x")
    n = len(photos.classes)

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, Any]]]:
        maps = infer_maps(
            model.before_and_after,
            photos.photos(rows["dataset_row"].tolist()),
            size=budget.size,
            stride=model.output_stride,
            scales=chosen.scales,
            mirror=chosen.mirror,
            device=device,
        )
        refined, taken, statistics = [], [], []
        for (_, planes), image_id, class_ids in zip(maps, rows["image_id"], rows["class_ids"], strict=True):
            before, after = planes[:n].softmax(0), planes[n:-1].softmax(0)
            present = torch.zeros(n, dtype=torch.bool, device=device)
            present[[0, *class_ids]] = True
            posterior = class_restricted_posterior(planes[n:-1], present, absent=chosen.absent)
            if seeds and image_id in seeds:
                cue = torch.from_numpy(seeds.read("labels", seeds.row_of(image_id)).astype(np.int64)).to(device)
                posterior = mixed_with_labels(posterior, cue, weight=chosen.cue_weight)
            map_ = posterior.argmax(0).cpu().numpy().astype(np.uint8)
            refined.append(map_)
            taken.append(quantise(planes[-1].cpu().numpy()))
            learnt = torch.from_numpy(mined.read("labels", mined.row_of(image_id)).astype(np.int64)).to(device)
            statistics.append(
                {
                    "background": float((map_ == 0).mean()),
                    "energy": energy(before, after),
                    "energy_mined": mined_energy(before, after, learnt),
                }
            )
        return {"labels": refined, "affinity": taken}, statistics

    write_store(
        out,
        compute,
        table=table,
        arrays={
            "labels": ArraySpec.labels(shape),
            "affinity": ArraySpec.soft(("y", "x"), shape),
        },
        key=fingerprint(sections, dataset / "photos", segmenter, labels, *([cues] if seeds else [])),
        attributes={"classes": list(photos.classes)},
    )


if __name__ == "__main__":
    run(main, "refine")
