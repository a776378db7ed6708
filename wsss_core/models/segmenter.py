"""Segmentation networks: a backbone with a head, scores on the head's grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wsss_core.models.backbone import Backbone, make_backbone
from wsss_core.models.heads import HeadName, make_head
from wsss_core.models.start import backbone_of, start_from


class Segmenter(nn.Module):
    """Scores per class on the head's grid. Parameters below `backbone.` are the pretrained ones."""

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    @property
    def output_stride(self) -> int:
        """Photos given to the network have sides of `output_stride·k + 1` pixels."""
        return self.backbone.output_stride

    def forward(self, photos: Tensor) -> Tensor:
        """RGB in 0..255, float (B, 3, H, W) → logits (B, n_classes, h, w), nodes on the photo's corners."""
        logits: Tensor = self.head(self.backbone(photos))
        return logits


def make_segmenter(
    *,
    backbone: str,
    output_stride: int,
    head: HeadName,
    n_classes: int,
    width: int | None = None,
    field_of_view: int = 224,
) -> Segmenter:
    """A segmentation network with random weights.

    Args:
        backbone, output_stride: see `make_backbone`.
        head, width, field_of_view: see `make_head`.
        n_classes: channels of the logits, background included; 1 for a class-agnostic saliency detector.

    Raises:
        InputError: no such backbone or head.
    """
    trunk = make_backbone(backbone, output_stride=output_stride)
    network = Segmenter(trunk, make_head(head, trunk, n_outputs=n_classes, width=width, field_of_view=field_of_view))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def segmenter_from(
    start: Path,
    *,
    head: HeadName,
    width: int | None,
    n_classes: int,
    field_of_view: int = 224,
    classes: Sequence[str] | None = None,
) -> tuple[Segmenter, dict[str, Any]]:
    """A segmenter that starts from the model or backbone in the folder `start`, and its description.

    Args:
        start: decides the backbone and its output stride; see `start_from` for what is loaded.
        head, width, n_classes, field_of_view: see `make_segmenter`.
        classes: names of the classes; see `start_from`.

    Raises:
        InputError: no model in `start`, or one whose classes do not fit.
    """
    name, stride = backbone_of(start)
    arguments: dict[str, Any] = {
        "backbone": name,
        "output_stride": stride,
        "head": head,
        "n_classes": n_classes,
        "width": width,
        "field_of_view": field_of_view,
    }
    model = make_segmenter(**arguments)
    start_from(model, start, classes=classes)
    return model, {"kind": "segmenter", **arguments}
