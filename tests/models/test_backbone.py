import pytest
import timm
import torch
from torch import nn

from wsss_core.models.backbone import make_backbone
from wsss_core.stage import InputError


def symmetric(backbone):
    """The backbone with kernels that equal their mirror images: it commutes with mirroring if its grid is centred."""
    with torch.no_grad():
        for module in backbone.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.copy_((module.weight + module.weight.flip(2)) / 2)
                module.weight.copy_((module.weight + module.weight.flip(3)) / 2)
    return backbone.eval()


@pytest.mark.parametrize(
    ("name", "output_stride", "strides"),
    [
        ("tf_efficientnet_lite0", 8, [2, 4, 8, 8, 8]),
        ("tf_efficientnet_lite0", 16, [2, 4, 8, 16, 16]),
        ("vgg16", 8, [2, 4, 8, 8, 8]),
        ("vgg16", 32, [2, 4, 8, 16, 32]),
        ("resnet18", 16, [2, 4, 8, 16, 16]),
    ],
)
def test_every_map_has_nodes_on_the_corners_and_is_not_shifted(name, output_stride, strides):
    torch.manual_seed(0)
    backbone = symmetric(make_backbone(name, output_stride=output_stride))
    photos = torch.rand(1, 3, 2 * output_stride + 1, 64 + 1) * 255
    with torch.no_grad():
        stages, mirrored, upside_down = (backbone(x) for x in (photos, photos.flip(3), photos.flip(2)))
    assert backbone.strides == strides
    assert [stage.shape[1] for stage in stages] == backbone.channels
    assert [stage.shape[2:] for stage in stages] == [(2 * output_stride // s + 1, 64 // s + 1) for s in strides]
    for stage, other, third in zip(stages, mirrored, upside_down, strict=True):
        assert stage.std() > 0
        torch.testing.assert_close(other.flip(3), stage, rtol=1e-3, atol=1e-3 * stage.abs().max().item())
        torch.testing.assert_close(third.flip(2), stage, rtol=1e-3, atol=1e-3 * stage.abs().max().item())


def test_the_last_map_of_an_efficientnet_is_what_its_imagenet_classifier_reads():
    torch.manual_seed(0)
    network = timm.create_model("tf_efficientnet_lite0", output_stride=16).eval()
    backbone = make_backbone("tf_efficientnet_lite0", output_stride=16).eval()
    backbone.features.network.load_state_dict(network.state_dict(), strict=False)
    photos = torch.rand(1, 3, 33, 33) * 255
    with torch.no_grad():
        pooled = backbone(photos)[-1].mean((2, 3))
        torch.testing.assert_close(network.classifier(pooled), network((photos - 127) / 128), rtol=1e-4, atol=1e-5)


def test_normalisation_is_inside_and_not_among_the_weights():
    lite0 = make_backbone("tf_efficientnet_lite0", output_stride=16)
    assert lite0.mean.flatten().tolist() == [127] * 3
    assert lite0.deviation.flatten().tolist() == [128] * 3
    resnet = make_backbone("resnet18", output_stride=16)
    torch.testing.assert_close(resnet.mean.flatten(), torch.tensor([123.675, 116.28, 103.53]))
    torch.testing.assert_close(resnet.deviation.flatten(), torch.tensor([58.395, 57.12, 57.375]))
    grey = torch.full((1, 3, 33, 33), 127.0)
    seen = []
    lite0.features.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    lite0(grey)
    assert not seen[0].any()
    assert all(name.startswith("features.") for name in lite0.state_dict())


def test_vgg16_at_stride_8_is_deeplabs():
    layers = make_backbone("vgg16", output_stride=8).features.features
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    pools = [layer for layer in layers if isinstance(layer, nn.MaxPool2d)]
    assert [c.dilation[0] for c in convolutions] == [1] * 10 + [2] * 3
    assert [c.padding[0] for c in convolutions] == [1] * 10 + [2] * 3
    assert [(p.kernel_size, p.stride, p.padding) for p in pools] == [(3, 2, 1)] * 3 + [(3, 1, 1)] * 2


@pytest.mark.parametrize("shape", [(1, 3, 32, 33), (1, 3, 33, 40), (1, 1, 33, 33), (3, 33, 33)])
def test_photos_of_other_sides_are_refused(shape):
    backbone = make_backbone("resnet18", output_stride=16)
    with pytest.raises(ValueError, match=r"expected photos \(B, 3, 16·k \+ 1"):
        backbone(torch.zeros(shape))


@pytest.mark.parametrize(
    ("name", "output_stride", "message"),
    [
        ("resnet1O1", 16, "did you mean resnet101"),
        ("vit_small_patch16_224", 16, "no feature maps at output stride 16"),
        ("convnext_atto", 16, "wide, expected"),
        ("vgg16", 4, "4 is not one of 8, 16, 32"),
    ],
)
def test_backbones_that_cannot_serve_are_refused(name, output_stride, message):
    with pytest.raises(InputError, match=message):
        make_backbone(name, output_stride=output_stride)
