"""The pairwise network: learn affinities that carry a segmenter's probabilities onto the given labels."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from wsss_core.data.budget import Budget
from wsss_core.data.dataset import Dataset
from wsss_core.data.samples import TrainingSamples
from wsss_core.losses.affinity import AffinityLoss
from wsss_core.models.heads import HeadName
from wsss_core.models.propagation import Propagated, PropagationNetwork, propagation_from
from wsss_core.models.saved import load_segmenter
from wsss_core.stage import InputError, bind, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import fingerprint, open_store
from wsss_core.training.fit import fit
from wsss_core.training.settings import changed_settings


@dataclass(frozen=True, kw_only=True)
class Affinity:
    """A section of `train_affinity` (Wang et al. 2019, §3.3); without `splits`, all but val and test.

    Attributes:
        smoothness: weight of the region smoothness.
        per_class: affinities for each label apart, or shared by all (a twentieth of the maps for 21 labels).
        propagated: the unary network's probabilities, as in the paper, or its logits; saved with the network, so that
            `refine` and `predict` propagate the same.
        images_seen, head, width: of the guidance network; the budget's if left out, but a head without a width has its
            own default.
        training: what differs from the section of that name.
    """

    smoothness: float = 1.0
    per_class: bool = True
    propagated: Propagated = "probabilities"
    images_seen: int | None = None
    head: HeadName | None = None
    width: int | None = None
    training: dict[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.images_seen is not None and self.images_seen < 1:
            raise ValueError(f"images_seen must be at least 1, got {self.images_seen}")


def main(
    *,
    settings: str,
    seed: int,
    networks: int = 1,
    dataset: Path,
    unary: Path,
    labels: Path,
    superpixels: Path,
    start: Path,
    out: Path,
) -> None:
    params = load_params()
    names = ["budget", "training", f"train_affinity.{settings}"]
    sections = [section(params, name) for name in names]
    budget, chosen = bind(Budget, sections[0], names[0]), bind(Affinity, sections[2], names[2])
    training = changed_settings(sections[1], chosen.training, names[2])
    photos, targets, regions = Dataset(dataset), open_store(labels), open_store(superpixels)
    table = photos.cue_table(chosen.splits or photos.training_splits)
    table = table[table["image_id"].isin(targets.table["image_id"])]
    segmenter, unary_description = load_segmenter(unary, classes=photos.classes)
    if isinstance(segmenter, PropagationNetwork):
        raise InputError(f"{unary}: propagates already; give the unary network")
    head, width = budget.decoder(chosen.head, chosen.width)
    torch.manual_seed(seed)
    network, description = propagation_from(
        start,
        segmenter,
        unary_description,
        classes=photos.classes,
        head=head,
        width=width,
        per_class=chosen.per_class,
        propagated=chosen.propagated,
    )
    augment = training.augment(budget, network.output_stride)
    images = budget.images(chosen.images_seen, networks)
    fit(
        out,
        network,
        TrainingSamples(photos, targets, rows=table, augment=augment, seed=seed, superpixels=regions),
        AffinityLoss(smoothness=chosen.smoothness),
        saved_as={**description, "classes": list(photos.classes)},
        settings=training,
        images_seen=images,
        seed=seed,
        key=fingerprint([*sections, seed, images], dataset / "photos", unary, labels, superpixels, start),
        photos=len(table),
    )


if __name__ == "__main__":
    run(main, "train_affinity")
