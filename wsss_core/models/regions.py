"""The region confidence network: what is each superpixel, and how sure is that?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from wsss_core.affinity.regions import pool
from wsss_core.models.backbone import Backbone, make_backbone
from wsss_core.models.heads import WIDTHS, PyramidFeatures, small_start
from wsss_core.models.start import backbone_of, start_from

HIDDEN = 512  # units of the layer between a region's feature and its scores


class RegionNetwork(nn.Module):
    """One pass over the photo, features pooled per superpixel, then a classifier (Wang et al. 2019, §3.2.3).

    Like Fast R-CNN, but with masks instead of boxes. Pooled are the features of a light decoder at stride 4 and, as in
    `Pyramid`, scores of the backbone's coarsest features, which are added to those of the classifier.
    """

    inputs = ("image", "superpixels")  # what `train` gives it of a batch

    def __init__(self, backbone: Backbone, *, n_classes: int, width: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = PyramidFeatures(backbone.channels, backbone.strides, width=width)
        self.hidden = nn.Linear(width, HIDDEN)
        self.dropout = nn.Dropout(0.5)
        of_hidden, of_coarsest = nn.Linear(HIDDEN, n_classes), nn.Conv2d(backbone.channels[-1], n_classes, 1)
        self.classifier = nn.ModuleList([small_start(of_hidden), small_start(of_coarsest)])
        nn.init.kaiming_normal_(self.hidden.weight, nonlinearity="relu")
        nn.init.zeros_(self.hidden.bias)

    @property
    def output_stride(self) -> int:
        return self.backbone.output_stride

    def features(self, photos: Tensor) -> Tensor:
        """RGB in 0..255, float (B, 3, H, W) → what is pooled, (B, width + n_classes, h, w)."""
        features = self.backbone(photos)
        decoded, scores = self.head(features), self.classifier[1](features[-1])
        return torch.cat([decoded, interpolate(scores, decoded.shape[2:], mode="bilinear", align_corners=True)], 1)

    def classify(self, pooled: Tensor) -> Tensor:
        """Means over regions of `features`, (…, width + n_classes) → logits (…, n_classes)."""
        decoded, scores = pooled.split([self.hidden.in_features, pooled.shape[-1] - self.hidden.in_features], dim=-1)
        logits: Tensor = self.classifier[0](self.dropout(self.hidden(decoded).relu())) + scores
        return logits

    def forward(self, photos: Tensor, superpixels: Tensor) -> Tensor:
        """Photos as above and region numbers, int64 (B, H, W), −1 for none → logits (B, R, n_classes).

        R is the highest region number of the batch and one; regions that a photo lacks get the scores of nothing.
        """
        n_regions = int(superpixels.max()) + 1
        features = self.features(photos)
        with torch.autocast(photos.device.type, enabled=False):  # weights that sum to 1 need more than half precision
            pooled = pool(features.float(), superpixels, n_regions)
        return self.classify(pooled)


def make_region_network(
    *, backbone: str, output_stride: int, n_classes: int, width: int | None = None
) -> RegionNetwork:
    """A region network with random weights; `width` is that of a pyramid head, its default where None.

    Raises:
        InputError: no such backbone.
    """
    width = WIDTHS["pyramid"] if width is None else width
    network = RegionNetwork(make_backbone(backbone, output_stride=output_stride), n_classes=n_classes, width=width)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def region_network_from(start: Path, *, n_classes: int, width: int | None) -> tuple[RegionNetwork, dict[str, Any]]:
    """A region network that starts from the model in the folder `start`, and its description.

    Of a segmenter with a pyramid head of the same width it takes all but the classifier, of any other the backbone.

    Raises:
        InputError: no model in `start`.
    """
    name, stride = backbone_of(start)
    arguments: dict[str, Any] = {"backbone": name, "output_stride": stride, "n_classes": n_classes, "width": width}
    network = make_region_network(**arguments)
    start_from(network, start, classifier=False)
    return network, {"kind": "regions", **arguments}
