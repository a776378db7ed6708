"""What a computation depends on, as one short key: for resuming exactly the work that was interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from wsss_core.stores.layout import MEANING

CODE = Path(__file__).resolve().parents[1]


def fingerprint(settings: Any, *inputs: Path) -> str:
    """A key of the settings, the bytes of every input (file, folder or artifact), this package's code and the script.

    A script that uses torch also has torch's version and the kind of device in it, for half a result of each would be
    neither's. An artifact vouches for itself by the digest in its `store.json`, so that it is not read again.
    """
    total = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    total.update(_computing().encode())
    script = getattr(sys.modules["__main__"], "__file__", None)
    for path in (*inputs, CODE, *([Path(script)] if script and Path(script).is_file() else [])):
        total.update(_of_path(Path(path)))
    return total.hexdigest()[:16]


def _computing() -> str:
    """What numbers may differ by though code and inputs are equal; nothing where no network is used."""
    torch = sys.modules.get("torch")
    if torch is None:
        return ""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return f"torch {torch.__version__} on {device}, {os.environ.get('WORLD_SIZE', '1')} processes"


def _of_path(path: Path) -> bytes:
    if path.is_dir():
        if (path / MEANING).is_file():
            return _of_path(path / MEANING)
        files = sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        return b"".join(str(f.relative_to(path)).encode() + _of_path(f) for f in files)
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
