"""Equal numbers from equal runs: deterministic kernels, and randomness that is a function of the step."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def repeatable() -> Iterator[None]:
    """Deterministic kernels and full float32 products inside the block.

    A kernel that has no deterministic form warns and runs: on that device a run is then equal up to rounding only.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it, before its first product
    was = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn = torch.backends.cudnn  # its flags turn it off altogether unless they are told not to
    flags = cudnn.flags(enabled=cudnn.enabled, benchmark=False, deterministic=True, allow_tf32=False)
    precision = torch.get_float32_matmul_precision()
    memory: Any = torch.utils.deterministic  # its attribute is a property that type checkers do not see
    fill = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.set_float32_matmul_precision("highest")
    memory.fill_uninitialized_memory = False  # a tenth of a step's time, to find bugs in kernels
    try:
        with flags:
            yield
    finally:
        torch.use_deterministic_algorithms(was[0], warn_only=was[1])
        torch.set_float32_matmul_precision(precision)
        memory.fill_uninitialized_memory = fill


def seed_step(seed: int, step: int, rank: int) -> None:
    """Restart torch's generators on every device, so that dropout in a step does not depend on the steps before."""
    torch.manual_seed(int(np.random.SeedSequence((seed, step, rank)).generate_state(1, np.uint64)[0]))
