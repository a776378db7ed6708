"""Seconds per training step of the default network and of the attention network, batch 10."""

from __future__ import annotations

import time

import torch

from wsss_core.losses.mining import MiningLoss
from wsss_core.models.segmenter import make_segmenter

BATCH = 10


def training_table() -> str:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = ["| network | px | s per step of 10 | images/s |", "| --- | --- | --- | --- |"]
    for side in (161, 193, 321):
        seconds = step_seconds(side, device)
        rows.append(f"| lite0, stride 16, pyramid, 7 classes | {side} | {seconds:.2f} | {BATCH / seconds:.1f} |")
    return "\n".join(rows)


def step_seconds(side: int, device: torch.device, repeats: int = 4) -> float:
    """The fastest of some steps: forward, hard/soft loss with IoU gain, backward, SGD."""
    torch.manual_seed(0)
    model = make_segmenter(backbone="tf_efficientnet_lite0", output_stride=16, head="pyramid", n_classes=7).to(device)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    loss = MiningLoss(heuristic="relative", eta=0.05)
    batch = {
        "image": torch.rand(BATCH, 3, side, side, device=device) * 255,
        "valid": torch.ones(BATCH, side, side, dtype=torch.bool, device=device),
        "posterior": torch.rand(BATCH, 7, side, side, device=device).softmax(1),
    }
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        optimiser.zero_grad()
        sum(loss(model(batch["image"]), batch).values()).backward()
        optimiser.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)
