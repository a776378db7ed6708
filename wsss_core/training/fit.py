"""The end of every stage that trains: a network trained under its checkpoint and saved whole, or nothing at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import Dataset as TorchDataset

from wsss_core.models.saved import save_model
from wsss_core.stage import whole_folder
from wsss_core.training.checkpoint import checkpoint_path
from wsss_core.training.distributed import rank
from wsss_core.training.loop import Batch, Loss, train
from wsss_core.training.settings import TrainingSettings


def fit(
    out: Path,
    model: nn.Module,
    samples: TorchDataset[Batch],
    loss: Loss,
    *,
    saved_as: Mapping[str, Any],
    settings: TrainingSettings,
    images_seen: int,
    seed: int,
    key: str,
    description: str | None = None,
    photos: int | None = None,
    figures: Callable[[Path], Mapping[str, float]] | None = None,
) -> None:
    """Train `model` and save it in the folder `out`, which takes its name when all is done.

    Args:
        out: gets the saved network, `loss.csv`, with `photos` `training.json`, and with `figures` `metrics.json`.
        model, samples, loss, settings, images_seen, seed: see `train`; 0 images save the network as it is.
        saved_as: see `save_model`.
        key: fingerprint of all that the result follows from; an interrupted run with this key is continued.
        description: shown beside the progress, the folder's name by default.
        photos: how many different ones there are in `samples`, for the report.
        figures: measures the saved network, given its folder.
    """
    checkpoint = checkpoint_path(out, key)
    with whole_folder(out) as folder:
        if images_seen:
            train(
                model,
                samples,
                loss,
                settings=settings,
                images_seen=images_seen,
                seed=seed,
                checkpoint=checkpoint,
                log=folder / "loss.csv",
                description=description or out.name,
            )
        save_model(folder, model, saved_as)
        if photos is not None:
            (folder / "training.json").write_text(json.dumps({"photos": photos}) + "\n", encoding="utf-8")
        if figures:
            (folder / "metrics.json").write_text(json.dumps(figures(folder), indent=1) + "\n", encoding="utf-8")
    if rank() == 0:
        checkpoint.unlink(missing_ok=True)  # not before the network is safe
