"""What turns a backbone's features into scores: one layer, DeepLab's heads, a skip decoder, a light one for a CPU."""

from __future__ import annotations

from typing import Literal, TypeVar, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from wsss_core.models.backbone import Backbone
from wsss_core.stage import InputError

HeadName = Literal["fcn", "largefov", "aspp", "pyramid", "skip"]
Layer = TypeVar("Layer", bound=nn.Conv2d | nn.Linear)
WIDTHS = {"largefov": 1024, "pyramid": 96, "skip": 64}


def make_head(
    name: HeadName, backbone: Backbone, *, n_outputs: int, width: int | None = None, field_of_view: int = 224
) -> nn.Module:
    """A head for the features of `backbone`.

    Args:
        name: `fcn`, `largefov`, `aspp`, `pyramid` or `skip`.
        backbone: gives channels and strides.
        n_outputs: channels of the scores.
        width: channels inside, by default 1024 for `largefov`, 96 for `pyramid`, 64 for `skip`; the others have none.
        field_of_view: pixels of the photo that a score of `largefov` on VGG-16 sees; 224 or, small, 128.

    Raises:
        InputError: a width for a head that has none, or no such head.
    """
    channels, strides = backbone.channels, backbone.strides
    if name not in get_args(HeadName):
        raise InputError(f"head: {name!r} is not one of {', '.join(get_args(HeadName))}")
    if name not in WIDTHS:
        if width is not None:
            raise InputError(f"width: {width} given, but the head {name} has none; leave it out")
        return FCN(channels[-1], n_outputs) if name == "fcn" else ASPP(channels[-1], n_outputs, stride=strides[-1])
    width = WIDTHS[name] if width is None else width
    if name == "largefov":
        dilation = max(1, round((field_of_view - 32) / (2 * strides[-1])))
        return LargeFOV(channels[-1], n_outputs, width=width, dilation=dilation)
    decoder = Pyramid if name == "pyramid" else SkipDecoder
    return decoder(channels, strides, n_outputs, width=width)


class FCN(nn.Module):
    """Dropout and one layer of scores on the coarsest features: sees what the backbone sees (Long et al. 2015, §4.1).

    (B, C, h, w) → (B, n_outputs, h, w).
    """

    def __init__(self, channels: int, n_outputs: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.classifier = small_start(nn.Conv2d(channels, n_outputs, 1))

    def forward(self, features: list[Tensor]) -> Tensor:
        scores: Tensor = self.classifier(self.dropout(features[-1]))
        return scores


class LargeFOV(nn.Module):
    """DeepLab-LargeFOV on the coarsest features (Chen et al. 2015, §4.3): dilated 3×3, 1×1, scores, with dropout.

    Dilation 12 at stride 8 is VGG-16's field of view of 224 pixels. (B, C, h, w) → (B, n_outputs, h, w).
    """

    def __init__(self, channels: int, n_outputs: int, *, width: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _relu_start(nn.Conv2d(channels, width, 3, padding=dilation, dilation=dilation)),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            _relu_start(nn.Conv2d(width, width, 1)),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
        )
        self.classifier = small_start(nn.Conv2d(width, n_outputs, 1))

    def forward(self, features: list[Tensor]) -> Tensor:
        scores: Tensor = self.classifier(self.layers(features[-1]))
        return scores


class ASPP(nn.Module):
    """DeepLab-v2 on the coarsest features (Chen et al. 2017, §3.2): the sum of four dilated 3×3 convolutions.

    The paper's rates 6, 12, 18, 24 are meant at stride 8; at other strides they cover the same pixels.
    (B, C, h, w) → (B, n_outputs, h, w).
    """

    def __init__(self, channels: int, n_outputs: int, *, stride: int) -> None:
        super().__init__()
        rates = [max(1, round(rate * 8 / stride)) for rate in (6, 12, 18, 24)]
        self.classifier = nn.ModuleList(
            small_start(nn.Conv2d(channels, n_outputs, 3, padding=rate, dilation=rate)) for rate in rates
        )

    def forward(self, features: list[Tensor]) -> Tensor:
        first, *others = (branch(features[-1]) for branch in self.classifier)
        return sum(others, start=first)


class PyramidFeatures(nn.Module):
    """A light decoder from all features of stride 4 and coarser to features ≥ 0 on the stride-4 grid.

    1×1 laterals; the photo's mean feature is added at the coarsest level; from there each level is enlarged, added to
    the next finer one and refined by a depthwise-separable 3×3 convolution. Gives (B, width, h, w).
    """

    def __init__(self, channels: list[int], strides: list[int], *, width: int) -> None:
        super().__init__()
        self.first = next(place for place, stride in enumerate(strides) if stride >= 4)
        used = channels[self.first :]
        self.laterals = nn.ModuleList(
            nn.Sequential(nn.Conv2d(each, width, 1, bias=False), nn.BatchNorm2d(width)) for each in used
        )
        self.refinements = nn.ModuleList(_separable(width) for _ in used)
        self.context = nn.Conv2d(used[-1], width, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        x: Tensor = self.context(features[-1].mean((2, 3), keepdim=True))
        levels = zip(features[self.first :], self.laterals, self.refinements, strict=True)
        for feature, lateral, refine in reversed(list(levels)):
            x = refine(_enlarge(x, feature) + lateral(feature))
        return x


class Pyramid(PyramidFeatures):
    """Scores on the stride-4 grid: those of the light decoder plus, enlarged, those of the coarsest features.

    The second layer reads what the backbone's ImageNet classifier read, so classes are told apart from the start; the
    decoder, which begins at random, adds the outlines. Scores of two strides are summed as in Long et al. 2015, §4.2.
    """

    def __init__(self, channels: list[int], strides: list[int], n_outputs: int, *, width: int) -> None:
        super().__init__(channels, strides, width=width)
        self.classifier = nn.ModuleList(small_start(nn.Conv2d(each, n_outputs, 1)) for each in (width, channels[-1]))

    def forward(self, features: list[Tensor]) -> Tensor:
        of_decoder, of_coarsest = self.classifier
        scores: Tensor = of_decoder(super().forward(features))
        return scores + _enlarge(of_coarsest(features[-1]), scores)


class SkipDecoder(nn.Module):
    """The decoder of an encoder–decoder with skip connections, scores at stride 4 (Pandey & Dukkipati 2017, §5.1).

    From the coarsest features up, each level is enlarged, concatenated with a 1×1 convolution of the encoder's map of
    that stride and convolved 3×3 twice; every convolution is followed by ReLU, then batch norm. The paper names no
    widths. On VGG-16 the coarsest features come after pool5, here of stride 1, which the paper leaves out.
    """

    def __init__(self, channels: list[int], strides: list[int], n_outputs: int, *, width: int) -> None:
        super().__init__()
        self.first = next(place for place, stride in enumerate(strides) if stride >= 4)
        finer = channels[self.first : -1]
        self.bottom = _relu_norm(channels[-1], width, kernel=3)
        self.skips = nn.ModuleList(_relu_norm(each, width, kernel=1) for each in finer)
        self.levels = nn.ModuleList(
            nn.Sequential(_relu_norm(2 * width, width, kernel=3), _relu_norm(width, width, kernel=3)) for _ in finer
        )
        self.classifier = small_start(nn.Conv2d(width, n_outputs, 1))

    def forward(self, features: list[Tensor]) -> Tensor:
        x = self.bottom(features[-1])
        finer = zip(features[self.first : -1], self.skips, self.levels, strict=True)
        for feature, skip, level in reversed(list(finer)):
            x = level(torch.cat([_enlarge(x, feature), skip(feature)], dim=1))
        scores: Tensor = self.classifier(x)
        return scores


def small_start(layer: Layer) -> Layer:
    """The final layers' start (Chaudhry et al. 2017, §5): weights N(0, 0.01²), biases 0."""
    nn.init.normal_(layer.weight, std=0.01)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _relu_start(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _relu_norm(channels: int, width: int, *, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        _relu_start(nn.Conv2d(channels, width, kernel, padding=kernel // 2)),
        nn.ReLU(inplace=True),
        nn.BatchNorm2d(width),
    )


def _separable(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
        nn.Conv2d(width, width, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


def _enlarge(x: Tensor, like: Tensor) -> Tensor:
    if x.shape[2:] == (1, 1) or x.shape[2:] == like.shape[2:]:
        return x  # broadcast, or there already
    return interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=True)
