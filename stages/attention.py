"""The attention volume of every image: one map per class it shows, joined over scales, scaled to [0, 1]."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from wsss_core.cues.attention import normalise, normalise_cam
from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.device import default_device
from wsss_core.models.inference import infer_maps
from wsss_core.models.saved import load_attention
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, padded, write_store
from wsss_core.stores.layout import quantise


@dataclass(frozen=True, kw_only=True)
class Attention:
    """A section of `attention`; without `splits`, all images."""

    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False
    splits: tuple[str, ...] | None = None


def main(*, settings: str, dataset: Path, net: Path, out: Path) -> None:
    params = load_params()
    names = ["budget", f"attention.{settings}"]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(Attention, sections[1], names[1])
    photos, device = Dataset(dataset), default_device()
    model, description = load_attention(net)
    model = model.to(device)
    to_unit = normalise_cam if description["kind"] == "cam" else normalise
    table = photos.cue_table(chosen.splits)
    table = table[table["n_classes"] > 0]
    dims = ("class", "y", "x")

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, float]]]:
        volumes = infer_maps(
            model.volume,
            photos.photos(rows["dataset_row"].tolist()),
            size=budget.size,
            stride=model.output_stride,
            scales=chosen.scales,
            mirror=chosen.mirror,
            join=model.join,
            device=device,
        )
        maps = []
        for (_, volume), class_ids in zip(volumes, rows["class_ids"], strict=True):
            present = torch.as_tensor(np.asarray(class_ids) - 1, device=volume.device)
            maps.append(quantise(to_unit(volume[present].cpu().numpy())))
        return {"attention": maps}, [{"mean_attention": float(m.mean() / 255)} for m in maps]

    write_store(
        out,
        compute,
        table=table,
        arrays={"attention": ArraySpec.soft(dims, padded(table, *dims))},
        key=fingerprint(sections, dataset / "photos", net),
        attributes={"classes": list(photos.classes), "network": description["kind"]},
    )


if __name__ == "__main__":
    run(main, "attention")
