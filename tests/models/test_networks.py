import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from wsss_core.losses.joint import JointLoss
from wsss_core.losses.mining import MiningLoss
from wsss_core.models.attention import joint_from, make_cam, make_fcan
from wsss_core.models.heads import ASPP, LargeFOV, Pyramid
from wsss_core.models.saved import save_model
from wsss_core.models.segmenter import make_segmenter
from wsss_core.stage import InputError

LITE0 = {"backbone": "tf_efficientnet_lite0", "output_stride": 16}
NETWORKS = {
    "vgg16 largefov": (
        make_segmenter,
        {"backbone": "vgg16", "output_stride": 8, "head": "largefov", "n_classes": 5, "width": 32},
        (2, 5, 9, 9),
    ),
    "resnet101 aspp": (
        make_segmenter,
        {"backbone": "resnet101", "output_stride": 8, "head": "aspp", "n_classes": 5},
        (2, 5, 9, 9),
    ),
    "lite0 pyramid": (make_segmenter, {**LITE0, "head": "pyramid", "n_classes": 5}, (2, 5, 17, 17)),
    "lite0 fcn": (make_segmenter, {**LITE0, "head": "fcn", "n_classes": 5}, (2, 5, 5, 5)),
    "lite0 skip": (make_segmenter, {**LITE0, "head": "skip", "n_classes": 5, "width": 16}, (2, 5, 17, 17)),
    "vgg16 skip": (
        make_segmenter,
        {"backbone": "vgg16", "output_stride": 16, "head": "skip", "n_classes": 5, "width": 16},
        (2, 5, 17, 17),
    ),
    "lite0 largefov": (make_segmenter, {**LITE0, "head": "largefov", "n_classes": 5, "width": 32}, (2, 5, 5, 5)),
    "fcan": (make_fcan, {**LITE0, "head": "largefov", "n_classes": 5, "width": 32, "pool": "gmp"}, (2, 4)),
    "cam": (make_cam, {**LITE0, "n_classes": 5}, (2, 4)),
}


@pytest.mark.parametrize(
    ("name", "mixed"), [*((name, False) for name in NETWORKS), ("lite0 pyramid", True), ("fcan", True), ("cam", True)]
)
def test_one_step_reaches_every_parameter(name, mixed):
    make, arguments, shape = NETWORKS[name]
    torch.manual_seed(0)
    network = make(**arguments)
    photos = torch.rand(2, 3, 65, 65) * 255
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        scores = network(photos)
    assert scores.shape == shape
    assert scores.dtype == (torch.bfloat16 if mixed else torch.float32)
    (scores * torch.randn_like(scores)).sum().backward()
    without = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert without == []
    assert network.output_stride == arguments["output_stride"]


@pytest.mark.parametrize("head", ["largefov", "aspp"])
def test_the_last_two_layers_of_an_fcan_can_be_trained_alone(head):
    network = make_fcan(**LITE0, head=head, n_classes=5, width=32 if head == "largefov" else None)
    network.freeze_all_but_last_layers()
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert trained == {n for n, _ in network.named_parameters() if n.startswith(("head.classifier.", "classifier."))}
    assert len(trained) == {"largefov": 4, "aspp": 10}[head]


@pytest.mark.parametrize(("backbone", "head"), [("vgg16", "largefov"), ("resnet101", "aspp")])
def test_one_batch_of_joint_training_on_the_papers_backbones(backbone, head, tmp_path):
    """DCSP's network in both sizes: classes and pixels learnt in one step, from the FCAN of the phase before."""
    torch.manual_seed(0)
    arguments = {"backbone": backbone, "output_stride": 8, "head": head, "n_classes": 3}
    arguments |= {"width": 16} if head == "largefov" else {}
    description = {"kind": "fcan", **arguments, "pool": "gap", "classes": ["background", "cat", "dog"]}
    save_model(tmp_path, make_fcan(**arguments, pool="gap"), description)
    network, saved_as = joint_from(tmp_path, description["classes"])
    assert saved_as["backbone"] == backbone
    labels = torch.randint(3, (2, 65, 65))
    batch = {"labels": labels, "valid": torch.ones_like(labels, dtype=torch.bool), "tags": torch.tensor([[1.0, 0]] * 2)}
    terms = JointLoss(MiningLoss())(network(torch.rand(2, 3, 65, 65) * 255), batch)
    assert set(terms) == {"cross_entropy", "iou", "classes"}
    sum(terms.values()).backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


def test_largefov_sees_224_or_128_pixels_at_any_stride():
    def dilation(output_stride, field_of_view):
        network = make_segmenter(
            backbone="tf_efficientnet_lite0",
            output_stride=output_stride,
            head="largefov",
            n_classes=2,
            width=8,
            field_of_view=field_of_view,
        )
        return network.head.layers[0].dilation

    assert dilation(8, 224) == (12, 12)  # DeepLab-LargeFOV
    assert dilation(8, 128) == (6, 6)
    assert dilation(16, 224) == (6, 6)


def test_aspp_is_the_sum_of_four_rates():
    head = ASPP(3, 2, stride=8)
    assert [c.dilation[0] for c in head.classifier] == [6, 12, 18, 24]
    assert [c.dilation[0] for c in ASPP(3, 2, stride=16).classifier] == [3, 6, 9, 12]
    with torch.no_grad():
        for k, branch in enumerate(head.classifier):
            branch.weight.zero_()
            branch.bias.fill_(10.0**k)
    assert head([torch.zeros(1, 3, 4, 4)]).unique().tolist() == [1111.0]


def test_pyramid_enlarges_corner_on_corner():
    head = Pyramid([3, 3], [4, 8], 1, width=3).eval()
    with torch.no_grad():
        head.context.weight.zero_(), head.context.bias.zero_(), head.laterals[0][0].weight.zero_()
        head.laterals[1][0].weight.copy_(torch.eye(3)[:, :, None, None])
        for refinement in head.refinements:
            refinement[0].weight.zero_()
            refinement[0].weight[:, :, 1, 1] = 1
            refinement[1].weight.copy_(torch.eye(3)[:, :, None, None])
        head.classifier[0].weight.fill_(1.0)
        head.classifier[1].weight.zero_()
    coarse = torch.rand(1, 3, 3, 4)
    scores = head([torch.rand(1, 3, 5, 7), coarse])
    expected = interpolate(coarse, size=(5, 7), mode="bilinear", align_corners=True).sum(1, keepdim=True)
    torch.testing.assert_close(scores, expected, rtol=1e-3, atol=1e-3)


def test_pyramid_adds_scores_of_the_coarsest_features_corner_on_corner():
    head = Pyramid([3, 2], [4, 8], 2, width=3).eval()
    with torch.no_grad():
        head.classifier[0].weight.zero_()
        head.classifier[1].weight.copy_(torch.tensor([[1.0, 0], [0, 2]])[:, :, None, None])
    coarse = torch.rand(1, 2, 3, 4)
    scores = head([torch.rand(1, 3, 5, 7), coarse])
    assert torch.equal(scores[:, :, ::2, ::2], coarse * torch.tensor([1.0, 2]).view(2, 1, 1))


def test_pyramid_adds_the_photos_mean_at_the_coarsest_level():
    head = Pyramid([2], [4], 1, width=2).eval()
    given = torch.rand(1, 2, 3, 3)
    seen = []
    head.refinements[0].register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    head([given])
    expected = head.laterals[0](given) + head.context(given.mean((2, 3), keepdim=True))
    torch.testing.assert_close(seen[0], expected)


def test_final_layers_start_small():
    torch.manual_seed(0)
    network = make_fcan(**LITE0, head="largefov", n_classes=21, width=512)
    for layer in (network.head.classifier, network.classifier):
        assert 0.008 < layer.weight.std() < 0.012
        assert not layer.bias.any()
    assert isinstance(network.head, LargeFOV)


@pytest.mark.parametrize(("pool", "expected"), [("gap", [2.5, -1.0]), ("gmp", [4.0, 0.0])])
def test_fcan_pools_its_volume(pool, expected):
    class Stub(nn.Module):
        output_stride = 8

        def forward(self, photos):
            return torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[0.0, -4.0], [0.0, 0.0]])

    class Stack(nn.Module):
        def forward(self, features):
            return torch.stack([*features, torch.zeros(2, 2)])[None]

    network = make_fcan(**LITE0, head="largefov", n_classes=3, width=8, pool=pool)
    network.backbone, network.head = Stub(), Stack()
    with torch.no_grad():
        network.classifier.weight.copy_(torch.eye(2, 3)[:, :, None, None])
    photos = torch.zeros(1, 3, 17, 17)
    assert network.volume(photos).shape == (1, 2, 2, 2)
    assert network(photos).tolist() == [expected]


def test_cam_scores_are_the_mean_of_its_maps_before_relu():
    torch.manual_seed(0)
    network = make_cam(**LITE0, n_classes=4).eval()
    with torch.no_grad():
        network.classifier.weight.mul_(100)
        photos = torch.rand(2, 3, 33, 49) * 255
        features = network.backbone(photos)[-1]  # (B, F, 3, 4)
        maps = torch.einsum("cf,bfhw->bchw", network.classifier.weight[:, :, 0, 0], features)
        torch.testing.assert_close(network(photos), maps.mean((2, 3)), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(network.volume(photos), maps.clamp(min=0), rtol=1e-4, atol=1e-6)
    assert network.volume(photos).shape == (2, 3, 3, 4)


def test_wrong_heads_and_pools_are_refused():
    for head in ("aspp", "fcn"):
        with pytest.raises(InputError, match=f"the head {head} has none"):
            make_segmenter(**LITE0, head=head, n_classes=3, width=8)
    with pytest.raises(InputError, match="head: 'unet' is not one of"):
        make_segmenter(**LITE0, head="unet", n_classes=3)
    with pytest.raises(InputError, match="pool: 'max' is not one of gap, gmp"):
        make_fcan(**LITE0, head="largefov", n_classes=3, pool="max")
