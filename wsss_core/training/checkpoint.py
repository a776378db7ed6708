"""Where a killed training continues: one file, written as a whole, known to be undamaged when read."""

from __future__ import annotations

import hashlib
import io
import logging
import os
from pathlib import Path
from typing import Any

import torch

from wsss_core.stage.output import WORK

log = logging.getLogger(__name__)


def checkpoint_path(out: Path, key: str) -> Path:
    """The checkpoint file of the training that makes `out`, outside it; those left under other keys are removed.

    Args:
        out: folder of the stage's output.
        key: a `fingerprint` of everything the training depends on.
    """
    name = str(out).strip("/").replace("/", ".")
    path = WORK / f"{name}-{key}.ckpt"
    for stale in WORK.glob(f"{name}-{'?' * len(key)}.ckpt"):
        if stale != path:
            stale.unlink(missing_ok=True)
    return path


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Replace the checkpoint by `state` (tensors, numbers, text, lists, dicts) in one step."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_suffix(".building")
    with open(building, "wb") as file:
        file.write(hashlib.sha256(buffer.getbuffer()).digest())
        file.write(buffer.getbuffer())
    os.replace(building, path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The saved state on the CPU, or None (with a warning) where it is damaged, or None where there is none."""
    if not path.is_file():
        return None
    with open(path, "rb") as file:
        digest, content = file.read(32), file.read()
    if hashlib.sha256(content).digest() != digest:  # torch.load alone lets a flipped bit in a weight pass
        log.warning("%s: damaged checkpoint; training starts anew", path)
        return None
    state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return state
