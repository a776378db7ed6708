"""Which parameters learn how fast, and when."""

from __future__ import annotations

import math

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import SGD, AdamW, Optimizer

from wsss_core.training.settings import TrainingSettings


def learning_rate(settings: TrainingSettings, step: int, steps: int) -> float:
    """The rate of step number `step` (from 0) of `steps`, for parameters with factor 1."""
    done = step / steps
    rate = settings.lr
    if settings.schedule == "poly":
        rate *= (1 - done) ** settings.power
    elif settings.schedule == "step":
        rate *= settings.step_factor ** math.floor(done / settings.step_every + 1e-9)  # 0.3 / 0.1 is below 3
    if step < settings.warmup * steps:
        rate *= (step + 1) / (settings.warmup * steps + 1)
    return rate


def make_optimiser(model: nn.Module, settings: TrainingSettings) -> Optimizer:
    """An optimiser with one group of parameters per learning-rate factor and weight decay.

    Parameters under `backbone.` have factor 1, and so have, as in DeepLab, what `LargeFOV` has below its classifier,
    VGG-16's fc6 and fc7; all others are the head. Weights are decayed; biases and norms (whatever has one axis) are
    not, as in DeepLab's settings.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((_factor(name, settings), _decay(parameter, settings)), []).append(parameter)
    options = [
        {"params": parameters, "factor": factor, "weight_decay": decay}
        for (factor, decay), parameters in groups.items()
    ]
    if settings.optimizer == "adamw":
        return AdamW(options, lr=settings.lr)
    return SGD(options, lr=settings.lr, momentum=settings.momentum)


def set_learning_rate(optimiser: Optimizer, rate: float) -> None:
    """Give every group of `make_optimiser` its factor of `rate`."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]


def set_training_mode(model: nn.Module, *, freeze_batch_norm: bool) -> None:
    """Training mode, but with batch norms left as they are where they are frozen, alone or with their whole network."""
    model.train()
    for module in model.modules():
        if isinstance(module, _BatchNorm) and (freeze_batch_norm or not _learns(module)):
            module.eval().requires_grad_(False)


def _learns(norm: _BatchNorm) -> bool:
    return not norm.affine or norm.weight.requires_grad


def _factor(name: str, settings: TrainingSettings) -> float:
    if name.startswith(("backbone.", "head.layers.")):
        return 1.0
    return settings.head_bias_lr_factor if name.endswith("bias") else settings.head_lr_factor


def _decay(parameter: nn.Parameter, settings: TrainingSettings) -> float:
    return settings.weight_decay if parameter.ndim > 1 else 0.0
