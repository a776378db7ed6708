"""A materialised E-step: what the segmenter says of each image, given the image's own labels."""

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
from wsss_core.em.estep import EStep as OnlineEStep
from wsss_core.em.posterior import Absent, class_restricted_posterior, mixed_with_labels
from wsss_core.models.inference import infer_maps
from wsss_core.models.saved import load_segmenter
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, fingerprint, open_store, write_store
from wsss_core.stores.layout import quantise


@dataclass(frozen=True, kw_only=True)
class EStep:
    """A section of `estep`; without `splits`, all but val and test.

    Attributes:
        kind: `posterior` (Hou et al. 2016): probabilities over the image's labels, an array `posterior`. `adapt`
            (Chaudhry et al. 2017): the most likely of them, an array `labels`.
        shares: instead of the posterior an E-step in which every label gets its part of the pixels: `em_adapt`
            (Papandreou et al. 2015) or `adaptive_prior` (Pandey & Dukkipati 2017), as in `train_em`.
        scales, mirror, join: views of a photo, and how their scores become one.
        absent: what becomes of the probability of classes that the image lacks: `drop` leaves it out (Hou et al. 2016),
            `share` gives it to those that it has.
        cue_weight: share in [0, 0.5) of the chain's own cues in the probabilities; where they say nothing, and at 0 as
            in the papers, the network speaks alone.
        crf: what the photo's colours make of the probabilities over its labels; the papers have it at test time only.
    """

    kind: Literal["posterior", "adapt"] = "posterior"
    join: Literal["mean", "max"] = "mean"
    shares: OnlineEStep | None = None
    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False
    absent: Absent = "drop"
    cue_weight: float = 0.0
    crf: DenseCRF | None = None
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.cue_weight < 0.5:
            raise ValueError(f"cue_weight must lie in [0, 0.5), got {self.cue_weight}")
        if self.shares is not None and self.shares.kind not in ("em_adapt", "adaptive_prior"):
            raise ValueError(f"shares: expected em_adapt or adaptive_prior, which ask for some, got {self.shares.kind}")


def main(*, settings: str, dataset: Path, segmenter: Path, cues: Path, out: Path) -> None:
    params = load_params()
    names = ["budget", f"estep.{settings}"]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(EStep, sections[1], names[1])
    photos, device = Dataset(dataset), default_device()
    model, _ = load_segmenter(segmenter, classes=photos.classes)
    model = model.to(device)
    mined = open_store(cues) if chosen.cue_weight else None
    table = photos.cue_table(chosen.splits or photos.training_splits)
    n_labels, height, width = (int(table[column].max()) for column in ("n_labels", "height", "width"))
    arrays = {
        "posterior": {"posterior": ArraySpec.soft(("label", "y", "x"), (n_labels, height, width))},
        "adapt": {"labels": ArraySpec.labels((height, width))},
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
        images = zip(scores, rows["image_id"], rows["class_ids"], pictures, strict=True)
        for (_, logits), image_id, class_ids, photo in images:
            labels = np.asarray([0, *class_ids], np.uint8)
            cue = mined.read("labels", mined.row_of(image_id)) if mined and image_id in mined else None
            posterior = label_posterior(logits, labels, photo, chosen, cue)
            if chosen.kind == "adapt":
                adapted = labels[posterior.argmax(0)]
                maps.append(adapted)
                statistics.append({"background": float((adapted == 0).mean())})
            else:
                maps.append(quantise(posterior))
                background = float((posterior.argmax(0) == 0).mean())
                statistics.append({"background": background, "mean_confidence": float(np.mean(posterior.max(0)))})
        return dict.fromkeys(arrays[chosen.kind], maps), statistics

    write_store(
        out,
        compute,
        table=table,
        arrays=arrays[chosen.kind],
        key=fingerprint(sections, dataset / "photos", segmenter, *([cues] if mined else [])),
        attributes={"classes": list(photos.classes)},
    )


def label_posterior(
    logits: torch.Tensor,
    labels: NDArray[np.uint8],
    photo: NDArray[np.uint8],
    chosen: EStep,
    cue: NDArray[np.uint8] | None = None,
) -> NDArray[np.float32]:
    """What each pixel is, among the image's own labels.

    Args:
        logits: of all labels, float (C, H, W), on any device.
        labels: the image's K, background first.
        photo: RGB uint8 (H, W, 3).
        cue: mined labels, uint8 (H, W), 255 for none, if there are any.

    Returns:
        Probabilities, float32 (K, H, W), that sum to 1.
    """
    own = torch.as_tensor(labels.astype(np.int64), device=logits.device)
    present = torch.zeros(len(logits), dtype=torch.bool, device=logits.device)
    present[own] = True
    if chosen.shares is None:
        posterior = class_restricted_posterior(logits, present, absent=chosen.absent)[own]
    else:
        inside = torch.ones_like(logits[:1], dtype=torch.bool)
        posterior = chosen.shares(logits[None], present[None], valid=inside).target[0, own]
    if cue is not None:
        place = np.full(256, 255)
        place[labels] = np.arange(len(labels))
        mined = torch.as_tensor(place[cue], device=logits.device)
        posterior = mixed_with_labels(posterior, mined, weight=chosen.cue_weight)
    if chosen.crf is None or len(labels) < 2:
        return posterior.cpu().numpy()
    return chosen.crf(photo, posterior).cpu().numpy()


if __name__ == "__main__":
    run(main, "estep")
