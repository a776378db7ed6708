"""A tiny training, started by `test_distributed` in one process and in two: `tiny_training.py FOLDER`."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import StackDataset

from wsss_core.training.distributed import rank
from wsss_core.training.loop import train
from wsss_core.training.settings import TrainingSettings

folder = Path(sys.argv[1])
torch.manual_seed(0)
model = nn.Conv2d(3, 2, 1)
image = torch.rand((24, 3, 5, 5))
samples = StackDataset(image=image, goal=image[:, :2] * 3)


def loss(scores: torch.Tensor, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {"square": (scores - batch["goal"]).square().mean()}


settings = TrainingSettings(lr=0.1, batch=4, accumulate=2, workers=0, checkpoint_every=1)
train(
    model,
    samples,
    loss,
    settings=settings,
    images_seen=24,
    seed=0,
    checkpoint=folder / f"{rank()}.ckpt",
    log=folder / f"{rank()}.csv",
    device=torch.device("cpu"),
)
torch.save(model.state_dict(), folder / f"{rank()}.pt")
