"""Several processes, one training: on when a launcher such as torchrun says so, otherwise the same code alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


def rank() -> int:
    """This process's number; 0 writes files."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """The number of processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Connect the processes inside the block, if there are several.

    What `shared` returned must be gone when the block ends: freed after the group, it can wait for ever for a thread
    that itself waits for the interpreter (torch 2.12 with gloo).
    """
    if world_size() == 1:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def shared(model: nn.Module) -> nn.Module:
    """The model to call for the forward pass, so that gradients are averaged over the connected processes."""
    return DistributedDataParallel(model) if dist.is_initialized() else model


def averaged(values: Tensor) -> Tensor:
    """The mean over the processes."""
    if dist.is_initialized():
        dist.all_reduce(values)
    return values / world_size()
