"""Saving a network with what is needed to build it again, and building it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from wsss_core.models.attention import CAM, FCAN, make_cam, make_fcan
from wsss_core.models.backbone import Backbone, make_backbone
from wsss_core.models.folder import DESCRIPTION, WEIGHTS, read_description, read_tensors, write_folder
from wsss_core.models.pixel_features import PixelFeatures, make_pixel_features
from wsss_core.models.propagation import PropagationNetwork, make_propagation
from wsss_core.models.regions import RegionNetwork, make_region_network
from wsss_core.models.segmenter import Segmenter, make_segmenter
from wsss_core.models.start import is_classifier, is_head
from wsss_core.stage import InputError

Network = Backbone | Segmenter | FCAN | CAM | RegionNetwork | PropagationNetwork | PixelFeatures

MAKERS: dict[str, Callable[..., Network]] = {
    "backbone": make_backbone,
    "segmenter": make_segmenter,
    "fcan": make_fcan,
    "cam": make_cam,
    "regions": make_region_network,
    "propagation": make_propagation,
    "pixel_features": make_pixel_features,
}


def save_model(
    folder: Path, model: nn.Module, description: Mapping[str, Any], *, head: Mapping[str, Tensor] | None = None
) -> None:
    """Write a network; the same weights and description give the same bytes.

    Args:
        folder: gets `weights.safetensors` and `model.json`.
        model: its state dict is stored.
        description: `kind` (a key of `MAKERS`), every argument of the function that makes this kind,
            and, if wanted, `classes`, their names.
        head: of a backbone, weights for a head on top of it, under the names `head.…`; see `start_from`.

    Raises:
        ValueError: the description has no known kind.
    """
    if description.get("kind") not in MAKERS:
        raise ValueError(f"expected a kind out of {', '.join(MAKERS)}, got {description.get('kind')!r}")
    write_folder(Path(folder), {**model.state_dict(), **(head or {})}, description)


def load_model(folder: Path) -> tuple[Network, dict[str, Any]]:
    """Build a saved network and fill in its weights; needs no network and no ImageNet weights.

    Returns:
        The network on the CPU in evaluation mode, and its description.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """
    folder = Path(folder)
    description = read_description(folder)
    maker = MAKERS.get(description["kind"])
    if maker is None:
        raise InputError(f"{folder / DESCRIPTION}: kind {description['kind']!r} is not one of {', '.join(MAKERS)}")
    try:
        model = maker(**{key: value for key, value in description.items() if key not in ("kind", "classes")})
    except (TypeError, InputError) as error:
        raise InputError(f"{folder / DESCRIPTION}: {error}; run the stage that writes it again") from None
    tensors = read_tensors(folder)
    if isinstance(model, Backbone):
        tensors = {name: tensor for name, tensor in tensors.items() if not is_head(name)}
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError(
            f"{folder / WEIGHTS}: not the weights of {DESCRIPTION}: {' '.join(str(error).split())[:200]}; "
            "run the stage that writes it again"
        ) from None
    return model.eval(), description


def load_segmenter(
    folder: Path, *, classes: Sequence[str] | None = None
) -> tuple[Segmenter | PropagationNetwork, dict[str, Any]]:
    """`load_model` where only what scores every pixel will do: a segmentation network or saliency detector.

    Of an FCAN it takes the segmentation network inside. With `classes`, a segmenter trained on more classes scores
    these alone, in this order.

    Raises:
        InputError: as `load_model`, a network of another kind, or one that lacks a class.
    """
    model, description = load_model(folder)
    if isinstance(model, FCAN):
        model = Segmenter(model.backbone, model.head).eval()
    if not isinstance(model, Segmenter | PropagationNetwork):
        raise InputError(f"{folder}: expected a segmenter, found a network of kind {description['kind']}")
    known = list(description.get("classes", classes or ()))
    if classes is not None and known != list(classes):
        missing = [name for name in classes if name not in known]
        if missing:
            raise InputError(f"{folder}: knows no {', '.join(missing)}; it was trained on {', '.join(known)}")
        if isinstance(model, PropagationNetwork):
            raise InputError(f"{folder}: propagates {', '.join(known)}; asked for {', '.join(classes)} alone")
        _keep_rows(model, [known.index(name) for name in classes])
    return model, description


def _keep_rows(model: nn.Module, rows: list[int]) -> None:
    """Cut the classifier down to these of its classes."""
    for name, layer in model.named_modules():
        if is_classifier(name) and isinstance(layer, nn.Conv2d):
            layer.out_channels = len(rows)
            for parameter in (layer.weight, layer.bias):
                if parameter is not None:
                    parameter.data = parameter.data[rows].clone()


def load_attention(folder: Path) -> tuple[FCAN | CAM, dict[str, Any]]:
    """`load_model` where only an attention network will do.

    Raises:
        InputError: as `load_model`, or a network of another kind.
    """
    model, description = load_model(folder)
    if not isinstance(model, FCAN | CAM):
        raise InputError(f"{folder}: expected an attention network, found a network of kind {description['kind']}")
    return model, description


def load_region_network(folder: Path, *, classes: Sequence[str]) -> RegionNetwork:
    """`load_model` where only a region network of these classes, in this order, will do.

    Raises:
        InputError: as `load_model`, a network of another kind, or one of other classes.
    """
    model, description = load_model(folder)
    again = "run the stage train_regions"
    if not isinstance(model, RegionNetwork):
        raise InputError(f"{folder}: expected a region network, found a network of kind {description['kind']}; {again}")
    known = list(description.get("classes", ()))
    if known != list(classes):
        raise InputError(f"{folder}: trained on {', '.join(known)}, not on {', '.join(classes)}; {again}")
    return model


def load_pixel_features(folder: Path) -> PixelFeatures:
    """`load_model` where only the feature network of a random walk will do.

    Raises:
        InputError: as `load_model`, or a network of another kind.
    """
    model, description = load_model(folder)
    if not isinstance(model, PixelFeatures):
        raise InputError(
            f"{folder}: expected a network of pixel features, found a network of kind {description['kind']}; "
            "run the stage train_pixel_features"
        )
    return model
