"""The forms of the four scans: modules with a `forward` and a `backward`, and which of them takes a tensor."""

import logging
from functools import cache
from types import ModuleType
from typing import Literal, get_args

import torch
from torch import Tensor

from wsss_core.affinity import scan_torch

Form = Literal["fastest", "numba", "torch", "triton"]
log = logging.getLogger(__name__)


def chosen_form(form: Form, device: torch.device, dtype: torch.dtype) -> ModuleType:
    """The module of a form, which is loaded when a scan first needs it.

    Args:
        form: "numba" for float32 and float64 on the CPU, "triton" for float32 on a GPU, "torch" for any device and
            type, "fastest" the first of them that can, "triton" only where `triton_agrees`.

    Raises:
        ValueError: a form that does not exist, or cannot.
    """
    numba = device.type == "cpu" and dtype in (torch.float32, torch.float64)
    triton = device.type == "cuda" and dtype == torch.float32
    if form not in get_args(Form) or (form == "numba" and not numba) or (form == "triton" and not triton):
        raise ValueError(f"expected a form of {get_args(Form)} that can take {dtype} on {device}: {form!r}")
    if numba and form != "torch":
        from wsss_core.affinity import scan_numba

        return scan_numba
    if triton and (form == "triton" or (form == "fastest" and triton_agrees(device))):
        from wsss_core.affinity import scan_triton

        return scan_triton
    return scan_torch


@cache
def triton_agrees(device: torch.device) -> bool:
    """Whether the Triton form runs on a device and gives what the torch form gives there, for a small random case.

    Each process tries it once per device; where it fails (no Triton, no compiler, other numbers), a warning says why.
    """
    generator = torch.Generator().manual_seed(0)
    signal = torch.rand(2, 3, 37, 70, generator=generator).to(device)
    gradient = torch.rand(2, 4, 3, 37, 70, generator=generator).to(device)
    try:
        from wsss_core.affinity import scan_triton

        for groups in (1, 3):
            weights = ((2 * torch.rand(2, 4, 3, groups, 37, 70, generator=generator) - 1) / 3).to(device)
            ours, expected = (_both_ways(form, signal, weights, gradient) for form in (scan_triton, scan_torch))
            torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        log.warning("%s: spatial propagation runs in torch, for its Triton form fails: %s", device, reason)
        return False
    return True


def _both_ways(form: ModuleType, signal: Tensor, weights: Tensor, gradient: Tensor) -> list[Tensor]:
    scanned = form.forward(signal, weights)
    return [scanned, *form.backward(gradient, signal, weights, scanned)]
