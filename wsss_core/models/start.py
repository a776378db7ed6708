"""Starting a network from the weights of another, or of a backbone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from wsss_core.models.folder import WEIGHTS, read_description, read_tensors
from wsss_core.stage import InputError

logger = logging.getLogger(__name__)


def backbone_of(folder: Path) -> tuple[str, int]:
    """Name and output stride of the backbone in a model's folder.

    Raises:
        InputError: no model there.
    """
    description = read_description(folder)
    return description["name" if description["kind"] == "backbone" else "backbone"], description["output_stride"]


def start_from(
    model: nn.Module, folder: Path, *, classes: Sequence[str] | None = None, classifier: bool = True
) -> None:
    """Load what fits: the backbone from a `backbone` folder, every tensor of the same name and shape from a model's.

    A backbone's folder may hold weights of a head, too. An FCAN's segmentation network starts a segmenter with the same
    head, and any network another's backbone. With `classes`, the model's, a segmenter of other classes starts it too,
    all but the classifier, which stays as it is (Papandreou et al. 2015, §4.5). Without `classifier` it always does.

    Raises:
        InputError: another backbone, or classifiers of different numbers of classes where no names tell them apart.
    """
    where = Path(folder) / WEIGHTS
    found, description = read_tensors(folder), read_description(folder)
    if description["kind"] == "backbone":
        found = {name if is_head(name) else f"backbone.{name}": tensor for name, tensor in found.items()}
    own = model.state_dict()
    other_classes = classes is not None and list(description.get("classes", classes)) != list(classes)
    if other_classes or not classifier:
        found = {name: tensor for name, tensor in found.items() if not is_classifier(name)}
    fitting = {n: t for n, t in found.items() if n in own and t.shape == own[n].shape}
    for name, tensor in own.items():
        if name.startswith("backbone.") and name not in fitting:
            raise InputError(f"{where}: has another backbone than the model to start (no tensor {name} that fits)")
        if name in found and _differs_in_classes(name, found[name], tensor):
            raise InputError(
                f"{where}: classifies into {len(found[name])} classes, the model to start into {len(tensor)}; "
                "start from a model of the same classes or from a backbone"
            )
    model.load_state_dict(fitting, strict=False)
    logger.info("%s: started %d of %d tensors", where, len(fitting), len(own))


def is_head(name: str) -> bool:
    """Whether a parameter belongs to the head, not to the backbone; both are named so in every network."""
    return name.startswith("head.")


def is_classifier(name: str) -> bool:
    """Whether a parameter belongs to the layer with one row per class."""
    return "classifier" in name.split(".")


def _differs_in_classes(name: str, found: Tensor, own: Tensor) -> bool:
    """One row per class is what all layers called `classifier` have; other heads differ in the other axes too."""
    return is_classifier(name) and len(found) != len(own) and found.shape[1:] == own.shape[1:]
