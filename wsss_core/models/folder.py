"""A network on disk: `model.json` says how to build it, `weights.safetensors` holds its tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from wsss_core.stage import InputError

DESCRIPTION = "model.json"
WEIGHTS = "weights.safetensors"


def write_folder(folder: Path, tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> None:
    """Write both files; the same tensors and description give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    (folder / WEIGHTS).write_bytes(save(on_cpu))  # save_file would make a file that only its owner can read
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def read_description(folder: Path) -> dict[str, Any]:
    """What `model.json` says: `kind`, the arguments of the function that builds it, perhaps `classes`.

    Raises:
        InputError: no model there, or its description is damaged.
    """
    file = Path(folder) / DESCRIPTION
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{file}: no such file; run the stage that trains this model") from None
    except ValueError as error:
        raise InputError(f"{file}: damaged ({error}); run the stage that writes it again") from None
    if not isinstance(description, dict) or "kind" not in description:
        raise InputError(f"{file}: does not say what kind of model it is; run the stage that writes it again")
    return description


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """The tensors by name, on the CPU.

    Raises:
        InputError: the file is missing or damaged.
    """
    file = Path(folder) / WEIGHTS
    try:
        return load_file(file)
    except FileNotFoundError:
        raise InputError(f"{file}: no such file; run the stage that trains this model") from None
    except SafetensorError as error:
        raise InputError(f"{file}: damaged ({error}); run the stage that writes it again") from None
