"""The numbers of one training run, as they stand in a `training` section of `params.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wsss_core.data.budget import Budget, crop_side
from wsss_core.data.sampling import Augment
from wsss_core.stage import bind


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of `train`; the defaults are DeepLab's poly schedule.

    Attributes:
        optimizer: `sgd` or `adamw` (which has its own moments and takes no `momentum`).
        lr: learning rate of the backbone at the first step.
        head_lr_factor, head_bias_lr_factor: factors on `lr` for weights and biases outside `backbone.` and outside
            the layers of LargeFOV below its scores.
        momentum: of SGD.
        weight_decay: on weights; biases and the parameters of norms are not decayed.
        batch: images per forward pass, over all processes together.
        accumulate: forward passes per optimiser step.
        schedule: `poly` lr · (1 − t)^power, `step` lr · step_factor^⌊t / step_every⌋, or `constant`; t is the share
            of the training that is done.
        power: of `poly`.
        step_every: share of the training between two steps of `step`.
        step_factor: factor of each of them.
        warmup: share of the training in which the rate rises linearly to the schedule's.
        freeze_batch_norm: keep the statistics and parameters of batch norms as they come.
        scale: range of the random factor on the photo's size.
        mirror: flip half of the samples, by chance, left to right.
        brightness, contrast: strength of the colour jitter in [0, 1).
        workers: processes that cut samples; 0 cuts them in the training process.
        checkpoint_every: steps between two checkpoints.
    """

    optimizer: Literal["sgd", "adamw"] = "sgd"
    lr: float = 0.01
    head_lr_factor: float = 1.0
    head_bias_lr_factor: float = 1.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    batch: int = 10
    accumulate: int = 1
    schedule: Literal["poly", "step", "constant"] = "poly"
    power: float = 0.9
    step_every: float = 0.34
    step_factor: float = 0.1
    warmup: float = 0.0
    freeze_batch_norm: bool = False
    scale: tuple[float, float] = (0.75, 1.5)
    mirror: bool = True
    brightness: float = 0.0
    contrast: float = 0.0
    workers: int = 1
    checkpoint_every: int = 100

    def __post_init__(self) -> None:
        for key in ("lr", "power", "step_factor"):
            if not getattr(self, key) > 0:
                raise ValueError(f"{key} must be greater than 0, got {getattr(self, key)}")
        for key in ("batch", "accumulate", "checkpoint_every"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} must be at least 1, got {getattr(self, key)}")
        for key in ("head_lr_factor", "head_bias_lr_factor", "weight_decay", "workers"):
            if not getattr(self, key) >= 0:
                raise ValueError(f"{key} must be at least 0, got {getattr(self, key)}")
        for key in ("momentum", "warmup"):
            if not 0 <= getattr(self, key) < 1:
                raise ValueError(f"{key} must lie in [0, 1), got {getattr(self, key)}")
        if not 0 < self.step_every <= 1:
            raise ValueError(f"step_every is a share of the training in (0, 1], got {self.step_every}")
        if len(self.scale) != 2 or not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f"scale must be [low, high] with 0 < low <= high, got {list(self.scale)}")
        if self.optimizer not in ("sgd", "adamw"):
            raise ValueError(f"optimizer must be sgd or adamw, got {self.optimizer!r}")
        if self.schedule not in ("poly", "step", "constant"):
            raise ValueError(f"schedule must be poly, step or constant, got {self.schedule!r}")

    def augment(self, budget: Budget, stride: int) -> Augment:
        """How samples are cut for a network of this output stride."""
        crop = crop_side(budget.crop or budget.size, stride)
        return Augment(
            size=budget.size,
            crop=crop,
            scale=self.scale,
            mirror=self.mirror,
            brightness=self.brightness,
            contrast=self.contrast,
        )


def changed_settings(shared: Mapping[str, Any], changes: Mapping[str, Any], where: str) -> TrainingSettings:
    """The section `training`, checked by itself, with what the section `where` changes of it.

    Raises:
        InputError: a key or value of either is wrong.
    """
    bind(TrainingSettings, shared, "training")
    return bind(TrainingSettings, {**shared, **changes}, f"{where}.training")
