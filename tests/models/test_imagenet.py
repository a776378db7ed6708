import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from wsss_core.models import imagenet
from wsss_core.models.backbone import LITE0, make_backbone
from wsss_core.models.imagenet import imagenet_weights, lite0_weights
from wsss_core.models.saved import load_model, save_model
from wsss_core.models.segmenter import segmenter_from
from wsss_core.stage import InputError

PHOTOS = Path("/work/shared/data/voc_animals")
# ImageNet's classes of the two animals that it has in plenty: all dogs but wild ones, all domestic cats.
DOGS, CATS = range(151, 269), range(281, 286)


@pytest.fixture(scope="module")
def whole_lite0():
    network = timm.create_model(LITE0)
    network.load_state_dict(lite0_weights())
    return network.eval()


@pytest.mark.parametrize("output_stride", [32, 16])
def test_lite0_features_are_those_of_the_whole_network(whole_lite0, output_stride):
    backbone = make_backbone(LITE0, output_stride=output_stride).eval()
    backbone.load_state_dict(imagenet_weights(LITE0)[0])
    photos = torch.randint(0, 256, (1, 3, 65, 97), generator=torch.Generator().manual_seed(0)).float()
    with torch.no_grad():
        _, expected = whole_lite0.forward_intermediates((photos - 127) / 128)
        stages = backbone(photos)
    same = len(stages) if output_stride == 32 else 4
    for stage, other in zip(stages[:same], expected[:same], strict=True):
        if stage.shape == other.shape:  # at stride 16 the fourth is finer than the whole network's
            torch.testing.assert_close(stage, other, rtol=1e-4, atol=1e-4)
    assert sum(a.shape == b.shape for a, b in zip(stages, expected, strict=True)) >= 4


@pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"needs the VOC photos in {PHOTOS}")
def test_lite0_knows_dogs_and_cats_and_knows_them_best_in_rgb(whole_lite0):
    tags = json.loads((PHOTOS / "image_labels.json").read_text())
    shown = {i: DOGS if "dog" in t else CATS for i, t in tags.items() if ("dog" in t) != ("cat" in t)}
    shown = dict(list(shown.items())[:24])
    photos = torch.stack([square(PHOTOS / f"JPEGImages/{name}.jpg") for name in shown])

    def probability(images):
        with torch.no_grad():
            p = torch.cat([whole_lite0((part - 127) / 128) for part in images.split(8)]).softmax(1)
        hits = sum(int(row.argmax()) in ids for row, ids in zip(p, shown.values(), strict=True))
        return sum(float(row[list(ids)].sum()) for row, ids in zip(p, shown.values(), strict=True)) / len(p), hits

    (in_rgb, hits), (in_bgr, _) = probability(photos), probability(photos.flip(1))
    assert hits >= 16
    assert in_rgb > in_bgr


def square(file: Path) -> torch.Tensor:
    """The photo's middle at 224 × 224, RGB in 0..255, (3, 224, 224)."""
    photo = cv2.imread(str(file))[..., ::-1]
    side = min(photo.shape[:2])
    top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
    middle = np.ascontiguousarray(photo[top : top + side, left : left + side])
    return torch.from_numpy(cv2.resize(middle, (224, 224), interpolation=cv2.INTER_AREA)).permute(2, 0, 1).float()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_from_a_file_land_under_the_backbones_names(tmp_path, suffix):
    torch.manual_seed(1)
    whole = timm.create_model("resnet18")
    state = {k: v for k, v in whole.state_dict().items() if not k.endswith("num_batches_tracked")}  # as old files
    path = tmp_path / f"resnet18{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    backbone = make_backbone("resnet18", output_stride=32).eval()
    backbone.load_state_dict(imagenet_weights("resnet18", path)[0])
    photos = torch.rand(1, 3, 65, 65) * 255
    with torch.no_grad():
        expected = whole.eval().forward_features((photos - backbone.mean) / backbone.deviation)
        torch.testing.assert_close(backbone(photos)[-1], expected, rtol=1e-4, atol=1e-4)


def test_vgg16_takes_torchvisions_names(tmp_path):
    own = make_backbone("vgg16", output_stride=8).state_dict()
    named = {name.removeprefix("features."): tensor.contiguous() for name, tensor in own.items()}
    assert {"features.0.weight", "features.28.bias"} <= set(named)
    odd = {"classifier.0.weight": torch.zeros(8, 5), "classifier.6.bias": torch.zeros(1000)}
    save_file({**named, **odd}, tmp_path / "vgg16.safetensors")
    taken, head = imagenet_weights("vgg16", tmp_path / "vgg16.safetensors")
    assert head == {}
    assert taken.keys() == own.keys()
    assert all(torch.equal(taken[name], own[name]) for name in own)


def test_vgg16s_fully_connected_layers_start_the_head_of_deeplab(tmp_path):
    own = make_backbone("vgg16", output_stride=8).state_dict()
    units = torch.arange(4096.0)
    taps = torch.arange(49.0).view(7, 7) / 64  # every number below is exact
    fc6 = (units.view(-1, 1, 1, 1) + taps).expand(4096, 512, 7, 7)
    whole = {name.removeprefix("features."): tensor for name, tensor in own.items()} | {
        "classifier.0.weight": fc6.reshape(4096, -1),
        "classifier.0.bias": units,
        "classifier.3.weight": units[:, None] * 4096 + units,
        "classifier.3.bias": -units,
    }
    torch.save(whole, tmp_path / "vgg16.pth")
    tensors, head = imagenet_weights("vgg16", tmp_path / "vgg16.pth")
    backbone = make_backbone("vgg16", output_stride=8)
    backbone.load_state_dict(tensors)
    description = {"kind": "backbone", "name": "vgg16", "output_stride": 8}
    save_model(tmp_path / "vgg16", backbone, description, head=head)
    assert load_model(tmp_path / "vgg16")[0].state_dict().keys() == own.keys()
    network, _ = segmenter_from(tmp_path / "vgg16", head="largefov", width=1024, n_classes=3)
    fc6, fc7 = network.head.layers[0], network.head.layers[3]
    assert fc6.dilation == (12, 12)  # taps 96 pixels apart, as every third of fc6 is at stride 32
    assert fc6.weight[5, 7].tolist() == (20 + taps[[0, 3, 6]][:, [0, 3, 6]]).tolist()
    assert fc6.bias[5] == 20 and fc7.bias[5] == -20
    assert fc7.weight[5, 6] == 20 * 4096 + 24
    narrow, _ = segmenter_from(tmp_path / "vgg16", head="largefov", width=8, n_classes=3)
    assert narrow.head.layers[0].weight.shape == (8, 512, 3, 3)


def test_files_that_do_not_fit_are_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.pth: no such file"):
        imagenet_weights("resnet18", tmp_path / "none.pth")
    for name in ("damaged.safetensors", "damaged.pth"):
        (tmp_path / name).write_bytes(b"not weights at all")
        with pytest.raises(InputError, match=f"{name}: not readable"):
            imagenet_weights("resnet18", tmp_path / name)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(InputError, match=r"list\.pth: not a state dict"):
        imagenet_weights("resnet18", tmp_path / "list.pth")
    save_file({"conv1.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"tensor conv1\.weight is \(64, 3, 3, 3\), expected \(64, 3, 7, 7\)"):
        imagenet_weights("resnet18", tmp_path / "other.safetensors")


def test_without_a_network_the_way_out_is_a_path(monkeypatch):
    def unreachable(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr(imagenet.timm, "create_model", unreachable)
    with pytest.raises(InputError, match=r"could not be downloaded \(no route\); give `weights`"):
        imagenet_weights("resnet18")
