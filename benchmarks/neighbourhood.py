"""Seconds per training step of the encoder–decoder without and with the neighbourhood KL, and with a CRF unrolled."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from wsss_core.crf.filtering import GaussianFilter
from wsss_core.em.online import OnlineEM
from wsss_core.losses.neighbourhood import NeighbourhoodKL
from wsss_core.models.segmenter import make_segmenter

BATCH, SIDE, CLASSES, ITERATIONS = 10, 193, 7, 5
Batch = dict[str, Tensor]


def neighbourhood_table() -> str:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    plain = OnlineEM()
    losses: dict[str, Callable[[Tensor, Batch], Tensor]] = {
        "λ = 0": lambda scores, batch: total(plain, scores, batch),
        f"λ = 0, mean field unrolled ({ITERATIONS} updates)": lambda s, batch: total(plain, unrolled(s, batch), batch),
    }
    for form in ("weighted_mean", "exponentiated"):
        for name, exact_up_to in (("lattice", 0), ("all pairs", 10**6)):
            loss = OnlineEM(neighbourhood_weight=0.3, neighbourhood=NeighbourhoodKL(form=form, exact_up_to=exact_up_to))
            losses[f"λ = 0.3, {form}, {name}"] = lambda scores, batch, loss=loss: total(loss, scores, batch)  # type: ignore[misc]
    rows = [f"| loss at {SIDE} px, {CLASSES} classes | s per step of {BATCH} | over λ = 0 |", "| --- | --- | --- |"]
    first = None
    for name, objective in losses.items():
        seconds = step_seconds(objective, device)
        first = first or seconds
        rows.append(f"| {name} | {seconds:.2f} | {seconds / first - 1:+.0%} |")
    return "\n".join(rows)


def total(loss: OnlineEM, scores: Tensor, batch: Batch) -> Tensor:
    return torch.stack([term for term in loss(scores, batch).values() if term.requires_grad]).sum()


def unrolled(scores: Tensor, batch: Batch) -> Tensor:
    """Scores after mean field with gradients through every update, as in a network with a CRF inside."""
    colours = interpolate(batch["image"], scores.shape[2:], mode="bilinear", align_corners=True)
    rows, columns = (torch.arange(n, device=scores.device) * 4.0 for n in scores.shape[2:])
    positions = torch.cartesian_prod(rows, columns)
    out = []
    for score, colour in zip(scores, colours, strict=True):
        unary = score.flatten(1).T
        features = (positions / 3, torch.cat([positions / 80, colour.flatten(1).T / 13], dim=1))
        kernels = [GaussianFilter(f, exclude_self=True, normalise="symmetric") for f in features]
        q = unary.softmax(1)
        for _ in range(ITERATIONS):
            logits = unary + 3 * kernels[0](q) + 10 * kernels[1](q)
            q = logits.softmax(1)
        out.append(logits.T.reshape(score.shape))
    return torch.stack(out)


def step_seconds(objective: Callable[[Tensor, Batch], Tensor], device: torch.device, repeats: int = 4) -> float:
    """The fastest of some steps: forward, loss, backward, SGD."""
    torch.manual_seed(0)
    model = make_segmenter(backbone="tf_efficientnet_lite0", output_stride=16, head="skip", n_classes=CLASSES)
    model.to(device)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    photos = interpolate(torch.rand(BATCH, 3, 25, 25, device=device) * 255, SIDE, mode="bilinear", align_corners=True)
    tags = torch.eye(CLASSES - 1, device=device)[torch.arange(BATCH) % (CLASSES - 1)]
    batch = {"image": photos, "tags": tags, "valid": torch.ones(BATCH, SIDE, SIDE, dtype=torch.bool, device=device)}
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        optimiser.zero_grad()
        objective(model(batch["image"]).float(), batch).backward()
        optimiser.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)
