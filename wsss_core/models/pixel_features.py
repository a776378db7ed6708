"""Features whose distance says whether two pixels belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wsss_core.models.backbone import Backbone, make_backbone
from wsss_core.models.heads import PyramidFeatures
from wsss_core.models.start import backbone_of, start_from


class PixelFeatures(nn.Module):
    """A network for affinities of pairs (Ahn & Kwak 2018, §3.2): every second node of a light decoder, stride 8.

    Args:
        backbone, head: the parts.
        radius: pairs less than this far apart are learnt and have an affinity, in nodes.
    """

    def __init__(self, backbone: Backbone, head: PyramidFeatures, *, radius: float) -> None:
        super().__init__()
        self.backbone, self.head, self.radius = backbone, head, radius

    @property
    def output_stride(self) -> int:
        return self.backbone.output_stride

    def forward(self, photos: Tensor) -> Tensor:
        """RGB in 0..255, float (B, 3, H, W) → features (B, width, h, w), nodes on the photo's corners."""
        features: Tensor = self.head(self.backbone(photos))
        return features[:, :, ::2, ::2]


def make_pixel_features(*, backbone: str, output_stride: int, width: int, radius: float) -> PixelFeatures:
    """A feature network with random weights; `width` features, `radius` as there, the rest as for `make_segmenter`.

    Raises:
        InputError: no such backbone.
    """
    trunk = make_backbone(backbone, output_stride=output_stride)
    network = PixelFeatures(trunk, PyramidFeatures(trunk.channels, trunk.strides, width=width), radius=radius)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def pixel_features_from(start: Path, *, width: int, radius: float) -> tuple[PixelFeatures, dict[str, Any]]:
    """A feature network that starts from the backbone in the folder `start`, and its description.

    Raises:
        InputError: no model in `start`.
    """
    name, stride = backbone_of(start)
    arguments: dict[str, Any] = {"backbone": name, "output_stride": stride, "width": width, "radius": radius}
    network = make_pixel_features(**arguments)
    start_from(network, start)
    return network, {"kind": "pixel_features", **arguments}
