"""The one training loop; what a stage learns from is in the loss function it passes in."""

from __future__ import annotations

import csv
import math
import multiprocessing
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from wsss_core.data.device import default_device
from wsss_core.data.samples import one_thread
from wsss_core.stage import InputError
from wsss_core.training.checkpoint import load_checkpoint, save_checkpoint
from wsss_core.training.distributed import averaged, process_group, rank, shared, world_size
from wsss_core.training.optimiser import learning_rate, make_optimiser, set_learning_rate, set_training_mode
from wsss_core.training.progress import TrainingProgress
from wsss_core.training.repeatable import repeatable, seed_step
from wsss_core.training.settings import TrainingSettings

Batch = dict[str, Tensor]
Loss = Callable[[Any, Batch], dict[str, Tensor]]
Row = dict[str, float]


def train(
    model: nn.Module,
    samples: TorchDataset[Batch],
    loss: Loss,
    *,
    settings: TrainingSettings,
    images_seen: int,
    seed: int,
    checkpoint: Path | None,
    log: Path,
    device: torch.device | None = None,
    description: str = "training",
) -> None:
    """Train `model` in place, continuing from `checkpoint` if a run was interrupted there.

    The interrupted and continued run ends with the same weights and the same log, bit for bit, as one that was not
    interrupted. Started by torchrun, each process works on its slice of every batch; loss terms are averaged over the
    slices, so a term that is a mean over labelled pixels weighs them a little differently than alone.

    Args:
        model: maps `batch["image"]`, float32 (B, 3, S, S), to scores or a tuple of them; with an attribute `inputs` the
            entries of the batch that it names. Left on the device and in training mode.
        samples: an endless stream indexed by sample number, as `TrainingSamples`.
        loss: from the scores in float32 and the batch, where `done` () is the share of the training that is over, to
            named scalar terms; the sum of those that have a gradient is
            minimised, the others are only logged.
        settings: the numbers.
        images_seen: length of the training in samples, rounded up to whole optimiser steps.
        seed: of dropout and the like; the initial weights are the caller's.
        checkpoint: where to keep the state, also that of the end; the caller removes it. None to keep none.
        log: CSV file with one line per step: step, images, lr, the terms, total.
        device: a GPU if there is one by default.
        description: shown beside the progress.

    Raises:
        ValueError: `images_seen` is not positive.
        InputError: a loss term is not finite, or the batch cannot be divided among the processes.
    """
    if images_seen < 1:
        raise ValueError(f"images_seen must be at least 1, got {images_seen}")
    if settings.batch % world_size():
        raise InputError(f"{description}: batch {settings.batch} cannot be divided among {world_size()} processes")
    device = device or default_device()
    steps = math.ceil(images_seen / (settings.batch * settings.accumulate))
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    set_training_mode(model, freeze_batch_norm=settings.freeze_batch_norm)
    optimiser = make_optimiser(model, settings)
    rows = _restore(checkpoint, model, optimiser)
    leads = rank() == 0
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        repeatable(),
        process_group(device),
        open(log if leads else os.devnull, "w", newline="", encoding="utf-8") as curve,
        TrainingProgress(description, steps, done=len(rows), shown=leads) as progress,
    ):
        for row in rows:
            _write_row(curve, row)
        todo = range(len(rows), steps)
        batches = _batches(samples, settings, todo, device)
        for row in _steps(shared(model), batches, loss, optimiser, settings, todo, seed=seed, description=description):
            rows.append(row)
            _write_row(curve, row)
            progress.update(len(rows), row["total"], settings.batch * settings.accumulate)
            if checkpoint and leads and (len(rows) % settings.checkpoint_every == 0 or len(rows) == steps):
                save_checkpoint(
                    checkpoint, {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "rows": rows}
                )


def _restore(checkpoint: Path | None, model: nn.Module, optimiser: Optimizer) -> list[Row]:
    """Bring model and optimiser back to the checkpoint, if there is one; returns the log of the steps done."""
    state = load_checkpoint(checkpoint) if checkpoint else None
    if state is None:
        return []
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    rows: list[Row] = state["rows"]
    return rows


def _batches(
    samples: TorchDataset[Batch], settings: TrainingSettings, steps: range, device: torch.device
) -> Iterator[Batch]:
    """This process's slices of the batches of these optimiser steps, on the device."""
    each = settings.batch // world_size()
    passes = range(steps.start * settings.accumulate, steps.stop * settings.accumulate)
    begins = (number * settings.batch + rank() * each for number in passes)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([one_thread.__module__])  # imports torch once, not once per worker
    loader = DataLoader(
        samples,
        batch_sampler=(list(range(begin, begin + each)) for begin in begins),
        num_workers=settings.workers,
        multiprocessing_context=context if settings.workers else None,
        worker_init_fn=one_thread,
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),  # the loader seeds its workers from it instead of moving dropout's generator on
    )
    for batch in _plain_errors(loader):
        moved = {key: value.to(device, non_blocking=True) for key, value in batch.items()}
        moved["image"] = moved["image"].contiguous(memory_format=torch.channels_last)
        yield moved


def _plain_errors(loader: Iterable[Batch]) -> Iterator[Batch]:
    """The loader's batches; a worker's InputError arrives without the trace that the loader wraps around it."""
    try:
        yield from loader
    except InputError as error:
        named = rf"{re.escape(type(error).__module__)}\.{type(error).__name__}: "
        raise InputError(re.sub(f"^{named}", "", str(error).splitlines()[-1])) from None


def _steps(
    network: nn.Module,
    batches: Iterator[Batch],
    loss: Loss,
    optimiser: Optimizer,
    settings: TrainingSettings,
    todo: range,
    *,
    seed: int,
    description: str,
) -> Iterator[Row]:
    """Take the optimiser steps `todo`, up to the training's last, and yield each one's row of the log."""
    images = settings.batch * settings.accumulate
    for step in todo:
        seed_step(seed, step, rank())
        rate = learning_rate(settings, step, todo.stop)
        set_learning_rate(optimiser, rate)
        optimiser.zero_grad(set_to_none=True)
        terms = _gradients(network, batches, loss, settings.accumulate, done=step / todo.stop)
        _refuse_non_finite(terms, f"{description}: step {step + 1}", rate)
        optimiser.step()
        yield {"step": step + 1, "images": (step + 1) * images, "lr": rate, **terms}


def _gradients(
    network: nn.Module, batches: Iterator[Batch], loss: Loss, accumulate: int, *, done: float
) -> dict[str, float]:
    """Leave one step's gradients in the parameters; returns the terms and their total, averaged over all passes."""
    sums = torch.zeros(())
    inputs = getattr(getattr(network, "module", network), "inputs", ("image",))  # DDP wraps the network
    for _ in range(accumulate):
        batch = next(batches) | {"done": torch.tensor(done)}
        kind = batch["image"].device.type
        with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
            scores = network(*(batch[name] for name in inputs))
        single = tuple(s.float() for s in scores) if isinstance(scores, tuple) else scores.float()
        terms = loss(single, batch)
        total = torch.stack([term for term in terms.values() if term.requires_grad]).sum()
        (total / accumulate).backward()
        sums = sums.to(total.device) + torch.stack([*terms.values(), total]).detach()
    return dict(zip([*terms, "total"], (averaged(sums) / accumulate).tolist(), strict=True))


def _refuse_non_finite(terms: dict[str, float], where: str, rate: float) -> None:
    for name, value in terms.items():
        if not math.isfinite(value):
            raise InputError(f"{where}: the loss {name!r} is {value} at learning rate {rate:.3g}; lower training.lr")


def _write_row(curve: TextIO, row: Row) -> None:
    writer = csv.DictWriter(curve, list(row), lineterminator="\n")
    if curve.tell() == 0:
        writer.writeheader()
    writer.writerow({key: f"{value:.6g}" for key, value in row.items()})
    curve.flush()
