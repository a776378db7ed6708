"""Networks that learn from tags where the classes are: FCAN and CAM."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from wsss_core.models.backbone import Backbone, make_backbone
from wsss_core.models.folder import read_description
from wsss_core.models.heads import HeadName, make_head, small_start
from wsss_core.models.start import backbone_of, start_from
from wsss_core.stage import InputError


class FCAN(nn.Module):
    """A segmentation network that ends in an attention volume, pooled to class scores (Chaudhry et al. 2017, §4.1).

    Args:
        backbone, head: the segmentation network inside, with one output per label, background included.
        n_classes: number of these outputs; the volume has one plane less, as there is none for background.
        pool: `gap` global average or `gmp` global maximum.
    """

    join: Literal["max", "mean", "sum"] = "max"  # how the volumes of several scales become one

    def __init__(self, backbone: Backbone, head: nn.Module, *, n_classes: int, pool: Literal["gap", "gmp"]) -> None:
        super().__init__()
        self.backbone, self.head, self.pool = backbone, head, pool
        self.classifier = small_start(nn.Conv2d(n_classes, n_classes - 1, 1))

    @property
    def output_stride(self) -> int:
        return self.backbone.output_stride

    def volume(self, photos: Tensor) -> Tensor:
        """RGB in 0..255, float (B, 3, H, W) → attention of any sign, (B, n_classes − 1, h, w)."""
        volume: Tensor = self.classifier(self.head(self.backbone(photos)))
        return volume

    def forward(self, photos: Tensor) -> Tensor:
        """RGB in 0..255, float (B, 3, H, W) → class scores (logits), (B, n_classes − 1)."""
        return self.pooled(self.volume(photos))

    def freeze_all_but_last_layers(self) -> None:
        """Leave only the scores per label and the classes on top of them to be trained (Chaudhry et al.'s code)."""
        self.requires_grad_(False)
        for layer in (self.head.classifier, self.classifier):
            layer.requires_grad_(True)

    def pooled(self, volume: Tensor) -> Tensor:
        """Attention volume (B, c, h, w) → class scores (B, c)."""
        return volume.mean((2, 3)) if self.pool == "gap" else volume.amax((2, 3))


class Joint(nn.Module):
    """An FCAN run for both of its tasks, segmentation and classification (Chaudhry et al. 2017, §4.3)."""

    def __init__(self, fcan: FCAN) -> None:
        super().__init__()
        self.backbone, self.head, self.classifier = fcan.backbone, fcan.head, fcan.classifier
        self._pooled = fcan.pooled

    @property
    def output_stride(self) -> int:
        return self.backbone.output_stride

    def forward(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        """RGB in 0..255, float (B, 3, H, W) → logits per label (B, C, h, w) and per class (B, C − 1)."""
        scores = self.head(self.backbone(photos))
        return scores, self._pooled(self.classifier(scores))


class CAM(nn.Module):
    """Class activation maps (Zhou et al. 2016, §2): a linear layer on the photo's mean feature.

    Args:
        backbone: its coarsest features are pooled.
        n_classes: background included; scores and maps have one less.
    """

    join: Literal["max", "mean", "sum"] = "sum"

    def __init__(self, backbone: Backbone, *, n_classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = small_start(nn.Conv2d(backbone.channels[-1], n_classes - 1, 1, bias=False))

    @property
    def output_stride(self) -> int:
        return self.backbone.output_stride

    def volume(self, photos: Tensor) -> Tensor:
        """RGB in 0..255, float (B, 3, H, W) → maps relu(w_c · F) ≥ 0, (B, n_classes − 1, h, w)."""
        volume: Tensor = self.classifier(self.backbone(photos)[-1])
        return volume.relu()

    def forward(self, photos: Tensor) -> Tensor:
        """RGB in 0..255, float (B, 3, H, W) → class scores (logits), (B, n_classes − 1)."""
        scores: Tensor = self.classifier(self.backbone(photos)[-1].mean((2, 3), keepdim=True))
        return scores.flatten(1)


def make_fcan(
    *,
    backbone: str,
    output_stride: int,
    head: HeadName,
    n_classes: int,
    width: int | None = None,
    pool: Literal["gap", "gmp"] = "gap",
) -> FCAN:
    """An FCAN with random weights; `n_classes` includes background, the rest as for `make_segmenter` and `FCAN`.

    Raises:
        InputError: no such backbone, head or pooling.
    """
    if pool not in ("gap", "gmp"):
        raise InputError(f"pool: {pool!r} is not one of gap, gmp")
    trunk = make_backbone(backbone, output_stride=output_stride)
    network = FCAN(trunk, make_head(head, trunk, n_outputs=n_classes, width=width), n_classes=n_classes, pool=pool)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def make_cam(*, backbone: str, output_stride: int, n_classes: int) -> CAM:
    """A CAM network with random weights; `n_classes` includes background.

    Raises:
        InputError: no such backbone.
    """
    network = CAM(make_backbone(backbone, output_stride=output_stride), n_classes=n_classes)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def joint_from(start: Path, classes: Sequence[str]) -> tuple[Joint, dict[str, Any]]:
    """The FCAN in the folder `start`, to be trained for both tasks, and its description.

    Raises:
        InputError: no FCAN of these classes in `start`.
    """
    description = read_description(start)
    if description["kind"] != "fcan":
        raise InputError(f"{start}: joint training starts from an FCAN, found a network of kind {description['kind']}")
    if list(description.get("classes", classes)) != list(classes):
        raise InputError(f"{start}: trained on {', '.join(description['classes'])}, not on {', '.join(classes)}")
    fcan = make_fcan(**{key: value for key, value in description.items() if key not in ("kind", "classes")})
    start_from(fcan, start)
    return Joint(fcan), {key: value for key, value in description.items() if key != "classes"}


def attention_from(
    start: Path,
    *,
    network: Literal["fcan", "cam"],
    n_classes: int,
    head: HeadName = "largefov",
    width: int | None = None,
    pool: Literal["gap", "gmp"] = "gap",
) -> tuple[FCAN | CAM, dict[str, Any]]:
    """An attention network that starts from the model or backbone in the folder `start`, and its description.

    Args:
        start: decides the backbone and its output stride; see `start_from` for what is loaded.
        network: `fcan`, or `cam`, which takes neither head nor width nor pooling.
        n_classes, head, width, pool: see `make_fcan`.

    Raises:
        InputError: no model in `start`, or one for another number of classes.
    """
    name, stride = backbone_of(start)
    arguments: dict[str, Any] = {"backbone": name, "output_stride": stride, "n_classes": n_classes}
    model: FCAN | CAM
    if network == "cam":
        model = make_cam(**arguments)
    else:
        arguments |= {"head": head, "width": width, "pool": pool}
        model = make_fcan(**arguments)
    start_from(model, start)
    return model, {"kind": network, **arguments}
