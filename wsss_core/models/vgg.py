"""VGG-16 as DeepLab dilates it: torchvision's convolutions, padded pools, no fully connected layers."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

# torchvision's statistics, for RGB in 0..255
MEAN = (123.675, 116.28, 103.53)
DEVIATION = (58.395, 57.12, 57.375)


class DilatedVGG16(nn.Module):
    """VGG-16 whose pools are 3×3 with padding 1 and, from the output stride on, of stride 1 (Chen et al. 2015, §3.1).

    Where a pool no longer strides, the convolutions after it are dilated instead: at output stride 8 pool4 and pool5
    have stride 1 and conv5 has dilation 2. Parameters are named and shaped as torchvision's.

    Attributes:
        channels, strides: of the five feature maps, each taken after a pool.
    """

    channels = (64, 128, 256, 512, 512)

    def __init__(self, output_stride: int) -> None:
        super().__init__()
        self.features = make_layers(cfgs["D"], batch_norm=False)
        self.strides: list[int] = []
        stride, dilation = 1, 1
        for place, layer in enumerate(self.features):
            if isinstance(layer, nn.Conv2d):
                layer.dilation = layer.padding = (dilation, dilation)
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
            elif isinstance(layer, nn.MaxPool2d):
                step = 2 if stride < output_stride else 1
                self.features[place] = nn.MaxPool2d(3, stride=step, padding=1)
                stride, dilation = stride * step, dilation * 2 // step
                self.strides.append(stride)

    def forward(self, x: Tensor) -> list[Tensor]:
        stages = []
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                stages.append(x)
        return stages


FC_SHAPES = {
    "classifier.0.weight": (4096, 512 * 7 * 7),
    "classifier.0.bias": (4096,),
    "classifier.3.weight": (4096, 4096),
    "classifier.3.bias": (4096,),
}


def largefov_weights(network: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The head `LargeFOV` of width 1024 as VGG-16's first two fully connected layers (Chen et al. 2015, §3.1 and 4.3).

    fc6 is a 7×7 convolution over pool5; of its taps every third, of either layer's 4,096 units every fourth is kept.

    Args:
        network: torchvision's state dict, with `classifier.0` and `classifier.3`.

    Returns:
        Tensors under the names of a segmenter; none where these layers are missing, of other sizes, or not finite.
    """
    if not all(n in network and network[n].shape == s and network[n].isfinite().all() for n, s in FC_SHAPES.items()):
        return {}
    fc6 = network["classifier.0.weight"].reshape(4096, 512, 7, 7)
    fc7 = network["classifier.3.weight"].reshape(4096, 4096, 1, 1)
    return {
        "head.layers.0.weight": fc6[::4, :, ::3, ::3].contiguous(),
        "head.layers.0.bias": network["classifier.0.bias"][::4].contiguous(),
        "head.layers.3.weight": fc7[::4, ::4].contiguous(),
        "head.layers.3.bias": network["classifier.3.bias"][::4].contiguous(),
    }
