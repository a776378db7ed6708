"""Spatial propagation in every form, per pixel in Python, and the dense random walk: seconds and peak memory.

python -m benchmarks.propagation [41x41 …]          (without sizes: those of the table in docs/benchmarks.md)
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wsss_core.affinity import affinities, propagate, random_walk, stable, transition

CLASSES, SIZES = 21, ((41, 41), (81, 81), (161, 161), (375, 500))
FORMS = ("numba", "triton", "torch") if torch.cuda.is_available() else ("numba", "torch")
METHODS = (
    *(f"{form}, {sharing}" for form in FORMS for sharing in ("shared", "per class")),
    "pixel by pixel",
    "random walk",
)
LARGEST_WALK = (81, 81)  # of a greater grid, time and memory are estimated from this one
REPEATS, LONG = 5, 5.0  # a run of more seconds than LONG is not repeated


def propagation_table(sizes: tuple[tuple[int, int], ...] = SIZES) -> str:
    rows = [
        f"| {CLASSES} classes, one image | size | forward s | forward + backward s | peak MiB |",
        "| --- | --- | --- | --- | --- |",
    ]
    for height, width in sizes:
        for method in METHODS:
            rows.append(f"| {method} | {height} × {width} | " + " | ".join(figures(method, height, width)) + " |")
    return "\n".join(rows)


def figures(method: str, height: int, width: int) -> tuple[str, str, str]:
    """Seconds forward and with backward, and MiB; "≈" marks estimates: a walk takes n³ of time, n² of memory."""
    larger = height * width / math.prod(LARGEST_WALK)
    if method == "random walk" and larger > 1:
        seconds, _, peak = measure_apart(method, *LARGEST_WALK)
        return estimate(seconds * larger**3), "–", estimate(peak * larger**2)
    forward, both, peak = measure_apart(method, height, width)
    return f"{forward:.4f}", "–" if both is None else f"{both:.4f}", f"{peak:.0f}"


def estimate(number: float) -> str:
    return f"≈ {float(f'{number:.2g}'):.0f}"


@cache
def measure_apart(method: str, height: int, width: int) -> tuple[float, float | None, float]:
    """`measure` in a process of its own, so that no other method's peak counts."""
    command = [sys.executable, "-m", "benchmarks.propagation", "measure", method, str(height), str(width)]
    out = subprocess.run(command, cwd=Path(__file__).resolve().parents[1], check=True, capture_output=True, text=True)
    forward, both, peak = json.loads(out.stdout)
    return forward, both, peak


def measure(method: str, height: int, width: int) -> tuple[float, float | None, float]:
    """Seconds forward, seconds with backward (None where there is none), and MiB beyond those before the input."""
    on_gpu = method.startswith(("torch", "triton")) and torch.cuda.is_available()
    device = torch.device("cuda" if on_gpu else "cpu")
    run_method(method, 3, 4, device)[1]()  # loads and compiles
    before = peak_mib(device)
    forward, both = run_method(method, height, width, device)
    with torch.no_grad():
        seconds = fastest(forward, device)
    return seconds, fastest(both, device) if both is not forward else None, peak_mib(device) - before


def run_method(
    method: str, height: int, width: int, device: torch.device
) -> tuple[Callable[[], object], Callable[[], object]]:
    """What to time forward, and with backward; the same one where there is no backward."""
    generator = torch.Generator(device).manual_seed(0)
    signal = torch.rand(1, CLASSES, height, width, generator=generator, device=device).softmax(1)
    if method == "random walk":
        affinity = affinities(torch.rand(8, height, width, generator=generator))
        return (walk := lambda: random_walk(signal[0], transition(affinity))), walk
    groups = 1 if method.endswith("shared") else CLASSES
    shape = (1, 4, 3, groups, height, width)
    weights = stable(torch.randn(shape, generator=generator, device=device)).requires_grad_()
    if method == "pixel by pixel":
        arrays = signal.numpy(), weights.detach().numpy()
        return (loop := lambda: pixel_by_pixel(*arrays)), loop
    form = method.split(",")[0]
    signal.requires_grad_()

    def forward() -> Tensor:
        return propagate(signal, weights, form=form)  # type: ignore[arg-type]

    return forward, lambda: torch.autograd.grad(forward().sum(), (signal, weights))


def pixel_by_pixel(signal: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The formula as it stands, over channels at once: what propagation costs without a kernel."""
    height, width = signal.shape[2:]
    scans = []
    for direction, (x, w) in enumerate(zip([signal[0]] * 4, weights[0], strict=True)):
        if direction < 2:
            x, w = x.swapaxes(1, 2), w.swapaxes(2, 3)
        lines, size = x.shape[1:]
        step = 1 if direction % 2 == 0 else -1
        h = x.copy()
        for t in range(lines)[::step][1:]:
            for k in range(size):
                for j in range(3):
                    if 0 <= k + j - 1 < size:
                        h[:, t, k] += w[j, :, t, k] * (h[:, t - step, k + j - 1] - x[:, t, k])
        scans.append(h.swapaxes(1, 2) if direction < 2 else h)
    return np.max(scans, axis=0).reshape(1, -1, height, width)


def fastest(run: Callable[[], object], device: torch.device) -> float:
    times: list[float] = []
    while len(times) < REPEATS and sum(times) < LONG:
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_mib(device: torch.device) -> float:
    """Of the GPU, or of this process: `ru_maxrss` would begin with what the parent had when it started this one."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["measure"]:
        print(json.dumps(measure(arguments[1], int(arguments[2]), int(arguments[3]))))
        return
    sizes = [tuple(int(n) for n in size.split("x")) for size in arguments]
    print(propagation_table(tuple((height, width) for height, width in sizes) or SIZES))


if __name__ == "__main__":
    main(sys.argv[1:])
