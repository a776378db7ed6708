"""The fast depthwise convolution is the ordinary one, forwards and backwards."""

import pytest
import torch
from torch import nn

from wsss_core.models.backbone import make_backbone
from wsss_core.models.depthwise import Depthwise, speed_up_depthwise
from wsss_core.models.depthwise_kernel import LANES


@pytest.mark.parametrize(("kernel", "dilation"), [(3, 2), (3, 3), (5, 1), (5, 2), (7, 1)])
@pytest.mark.parametrize("size", [(6, 6), (5, 7), (1, 4)])
def test_equal_to_the_ordinary_convolution(kernel, dilation, size):
    torch.manual_seed(0)
    padding = dilation * (kernel - 1) // 2
    layer = nn.Conv2d(3, 3, kernel, padding=padding, dilation=dilation, groups=3, bias=False, dtype=torch.float64)
    x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 3, *size, dtype=torch.float64)
    ordinary = torch.autograd.grad((layer(x) * weights).sum(), [x, layer.weight])
    y = layer(x)
    speed_up_depthwise(nn.Sequential(layer))
    assert type(layer) is Depthwise
    torch.testing.assert_close(layer(x), y)
    torch.testing.assert_close(torch.autograd.grad((layer(x) * weights).sum(), [x, layer.weight]), ordinary)


def test_more_channels_than_a_task_and_any_number_of_threads(numbas_threads):
    torch.manual_seed(0)
    channels = LANES + 7
    layer = nn.Conv2d(channels, channels, 5, padding=4, dilation=2, groups=channels, bias=False)
    x, weights = torch.randn(2, 2, channels, 9, 9)
    (ordinary,) = torch.autograd.grad((layer(x) * weights).sum(), layer.weight)
    speed_up_depthwise(nn.Sequential(layer))
    one, two = (torch.autograd.grad((layer(x) * weights).sum(), layer.weight)[0] for _ in numbas_threads)
    torch.testing.assert_close(one, ordinary, rtol=1e-4, atol=1e-4)
    assert torch.equal(one, two)


def test_half_precision_is_left_to_torch():
    layer = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False, dtype=torch.bfloat16)
    speed_up_depthwise(nn.Sequential(layer))
    layer(torch.ones(1, 4, 5, 5, dtype=torch.bfloat16)).sum().backward()
    assert layer.weight.grad.dtype == torch.bfloat16


def test_gradcheck():
    layer = nn.Conv2d(2, 2, 3, padding=2, dilation=2, groups=2, bias=False, dtype=torch.float64)
    speed_up_depthwise(nn.Sequential(layer))
    assert torch.autograd.gradcheck(layer, torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True))


@pytest.mark.parametrize(
    "options",
    [
        {"dilation": 1, "padding": 1, "groups": 4},
        {"dilation": 2, "padding": 2, "groups": 2},
        {"dilation": 2, "padding": 0, "groups": 4},
        {"dilation": 2, "padding": 2, "groups": 4, "stride": 2},
    ],
)
def test_other_convolutions_are_left_alone(options):
    layer = nn.Conv2d(4, 4, 3, bias=False, **options)
    speed_up_depthwise(nn.Sequential(layer))
    assert type(layer) is nn.Conv2d


def test_the_default_backbone_has_nine_of_them():
    trunk = make_backbone("tf_efficientnet_lite0", output_stride=16)
    assert sum(isinstance(layer, Depthwise) for layer in trunk.modules()) == 9
