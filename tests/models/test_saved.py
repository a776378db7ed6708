import json

import pytest
import torch

from wsss_core.models.attention import attention_from, joint_from, make_cam, make_fcan
from wsss_core.models.backbone import make_backbone
from wsss_core.models.pixel_features import make_pixel_features
from wsss_core.models.regions import make_region_network
from wsss_core.models.saved import (
    load_attention,
    load_model,
    load_pixel_features,
    load_region_network,
    load_segmenter,
    save_model,
)
from wsss_core.models.segmenter import make_segmenter, segmenter_from
from wsss_core.models.start import start_from
from wsss_core.stage import InputError

TRUNK = {"backbone": "test_resnet", "output_stride": 16}
FCAN = {**TRUNK, "head": "largefov", "n_classes": 4, "width": 8, "pool": "gmp"}
KINDS = {
    "segmenter": (make_segmenter, {**TRUNK, "head": "pyramid", "n_classes": 4, "width": 8}),
    "fcan": (make_fcan, FCAN),
    "cam": (make_cam, {**TRUNK, "n_classes": 4}),
}


def saved(folder, kind, seed=0, **changed):
    make, arguments = KINDS[kind]
    torch.manual_seed(seed)
    model = make(**{**arguments, **changed})
    save_model(folder, model, {"kind": kind, **arguments, **changed, "classes": ["background", "cat", "dog", "cow"]})
    return model


def saved_backbone(folder, name="test_resnet"):
    torch.manual_seed(5)
    backbone = make_backbone(name, output_stride=16)
    save_model(folder, backbone, {"kind": "backbone", "name": name, "output_stride": 16})
    return backbone


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_network_comes_back_with_equal_outputs_and_bytes(tmp_path, kind):
    model = saved(tmp_path / "a", kind)
    model(torch.rand(2, 3, 65, 65) * 255)  # moves the batch norms' statistics
    description = json.loads((tmp_path / "a/model.json").read_text())
    save_model(tmp_path / "a", model, description)
    loaded, read = load_model(tmp_path / "a")
    assert read == description
    assert not loaded.training
    photos = torch.rand(1, 3, 33, 49) * 255
    with torch.no_grad():
        assert torch.equal(loaded(photos), model.eval()(photos))
    save_model(tmp_path / "b", loaded, read)
    for name in ("weights.safetensors", "model.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    modes = {path.stat().st_mode for path in (tmp_path / "b").iterdir()}
    assert len(modes) == 1  # colleagues read the weights as they read everything else


def test_starting_from_a_backbone_loads_the_backbone_alone(tmp_path):
    backbone = saved_backbone(tmp_path)
    torch.manual_seed(0)
    model, description = segmenter_from(tmp_path, head="pyramid", width=8, n_classes=4)
    assert same(model.backbone.state_dict(), backbone.state_dict())
    assert not any(layer.bias.any() for layer in model.head.classifier)
    assert description == {
        "kind": "segmenter",
        **TRUNK,
        "head": "pyramid",
        "n_classes": 4,
        "width": 8,
        "field_of_view": 224,
    }
    save_model(tmp_path / "next", model, description)
    assert same(load_model(tmp_path / "next")[0].state_dict(), model.state_dict())


def test_starting_from_a_segmenter_loads_all_of_it(tmp_path):
    first = saved(tmp_path, "segmenter")
    second, _ = segmenter_from(tmp_path, head="pyramid", width=8, n_classes=4)
    assert same(first.state_dict(), second.state_dict())


def test_an_fcan_starts_a_segmenter_with_its_head_and_a_cam_with_its_backbone(tmp_path):
    fcan = saved(tmp_path, "fcan")
    segmenter, _ = segmenter_from(tmp_path, head="largefov", width=8, n_classes=4)
    inside = {name: t for name, t in fcan.state_dict().items() if not name.startswith("classifier")}
    assert same(segmenter.state_dict(), inside)
    cam, description = attention_from(tmp_path, network="cam", n_classes=4)
    assert same(cam.backbone.state_dict(), fcan.backbone.state_dict())
    assert description == {"kind": "cam", **TRUNK, "n_classes": 4}


@pytest.mark.parametrize(("network", "width"), [("fcan", 8), ("cam", None)])
def test_attention_networks_start_from_a_backbone(tmp_path, network, width):
    backbone = saved_backbone(tmp_path)
    model, description = attention_from(tmp_path, network=network, n_classes=4, width=width)
    assert same(model.backbone.state_dict(), backbone.state_dict())
    save_model(tmp_path / "next", model, description)
    assert type(load_model(tmp_path / "next")[0]) is type(model)


def test_another_number_of_classes_is_refused_with_both_numbers(tmp_path):
    saved(tmp_path / "segmenter", "segmenter")
    with pytest.raises(InputError, match=r"segmenter/weights.*into 4 classes, the model to start into 7"):
        segmenter_from(tmp_path / "segmenter", head="pyramid", width=8, n_classes=7)
    saved(tmp_path / "cam", "cam")
    with pytest.raises(InputError, match=r"into 3 classes, the model to start into 6"):
        attention_from(tmp_path / "cam", network="cam", n_classes=7)


def test_another_backbone_is_refused(tmp_path):
    saved_backbone(tmp_path)
    model = make_segmenter(backbone="test_efficientnet", output_stride=16, head="pyramid", n_classes=2, width=8)
    with pytest.raises(InputError, match=r"weights\.safetensors: has another backbone"):
        start_from(model, tmp_path)


def test_a_network_of_the_wrong_kind_is_refused(tmp_path):
    for kind, right, wrong in [("segmenter", load_segmenter, load_attention), ("cam", load_attention, load_segmenter)]:
        saved(tmp_path / kind, kind)
        assert same(right(tmp_path / kind)[0].state_dict(), load_model(tmp_path / kind)[0].state_dict())
        with pytest.raises(InputError, match=f"{kind}: expected .*, found a network of kind {kind}"):
            wrong(tmp_path / kind)


def test_damaged_folders_are_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing/model\.json: no such file"):
        load_model(tmp_path / "nothing")
    saved(tmp_path, "cam")
    description = json.loads((tmp_path / "model.json").read_text())

    def with_description(text):
        (tmp_path / "model.json").write_text(text)

    with_description("{")
    with pytest.raises(InputError, match=r"model\.json: damaged"):
        load_model(tmp_path)
    with_description("[]")
    with pytest.raises(InputError, match=r"model\.json: does not say"):
        load_model(tmp_path)
    with_description(json.dumps({**description, "kind": "unet"}))
    with pytest.raises(InputError, match=r"model\.json: kind 'unet' is not one of backbone, segmenter, fcan, cam"):
        load_model(tmp_path)
    with_description(json.dumps({**description, "wide": 3}))
    with pytest.raises(InputError, match=r"model\.json: .*'wide'"):
        load_model(tmp_path)
    with_description(json.dumps({**description, "n_classes": 9}))
    with pytest.raises(InputError, match=r"weights\.safetensors: not the weights of model\.json"):
        load_model(tmp_path)
    with_description(json.dumps(description))
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"weights\.safetensors: damaged"):
        load_model(tmp_path)
    weights.unlink()
    with pytest.raises(InputError, match=r"weights\.safetensors: no such file"):
        load_model(tmp_path)
    with pytest.raises(ValueError, match="expected a kind out of backbone"):
        save_model(tmp_path, torch.nn.Identity(), {})


CLASSES = ["background", "cat", "dog", "cow"]


def test_a_mapping_refuses_what_its_training_did_not_save(tmp_path):
    regions, pairs = {**TRUNK, "n_classes": 4, "width": 8}, {**TRUNK, "width": 8, "radius": 3.0}
    network, features = make_region_network(**regions), make_pixel_features(**pairs)
    save_model(tmp_path / "regions", network, {"kind": "regions", **regions, "classes": CLASSES})
    save_model(tmp_path / "pairs", features, {"kind": "pixel_features", **pairs})
    loaded = load_region_network(tmp_path / "regions", classes=CLASSES)
    assert same(loaded.state_dict(), network.state_dict()) and not loaded.training
    assert load_pixel_features(tmp_path / "pairs").radius == 3  # as far as it was trained
    with pytest.raises(InputError, match=r"nothing/model\.json: no such file; run the stage that trains this model"):
        load_region_network(tmp_path / "nothing", classes=CLASSES)
    with pytest.raises(InputError, match="pairs: expected a region network, .* pixel_features; run .* train_regions"):
        load_region_network(tmp_path / "pairs", classes=CLASSES)
    with pytest.raises(InputError, match="regions: trained on background, cat, dog, cow, not on background, cow"):
        load_region_network(tmp_path / "regions", classes=["background", "cow"])
    with pytest.raises(InputError, match="regions: expected a network of pixel .* run the stage train_pixel_features"):
        load_pixel_features(tmp_path / "regions")
    save_model(tmp_path / "pairs", features, {"kind": "pixel_features", **TRUNK, "width": 8})
    with pytest.raises(InputError, match=r"pairs/model\.json: .*'radius'; run the stage that writes it again"):
        load_pixel_features(tmp_path / "pairs")


@pytest.mark.parametrize("head", ["fcn", "largefov", "aspp"])
def test_an_fcan_is_trained_for_both_tasks_and_used_for_each(tmp_path, head):
    fcan = saved(tmp_path / "fcan", "fcan", head=head, width=8 if head == "largefov" else None)
    joint, description = joint_from(tmp_path / "fcan", CLASSES)
    photos = torch.rand(2, 3, 33, 33) * 255
    scores, classes = joint.eval()(photos)
    torch.testing.assert_close(classes, fcan.eval()(photos))
    save_model(tmp_path / "joint", joint, {**description, "classes": CLASSES})
    segmenter, _ = load_segmenter(tmp_path / "joint")
    torch.testing.assert_close(segmenter(photos), scores)
    attention, _ = load_attention(tmp_path / "joint")
    torch.testing.assert_close(attention(photos), classes)
    (scores.sum() + classes.sum()).backward()
    assert all(parameter.grad is not None for parameter in joint.parameters())
    saved(tmp_path / "cam", "cam")
    with pytest.raises(InputError, match="cam: joint training starts from an FCAN, found a network of kind cam"):
        joint_from(tmp_path / "cam", CLASSES)
    with pytest.raises(InputError, match="fcan: trained on background, cat, dog, cow, not on background, cow"):
        joint_from(tmp_path / "fcan", ["background", "cow"])


@pytest.mark.parametrize("head", ["pyramid", "aspp", "fcn"])
def test_other_classes_start_all_but_the_classifier(tmp_path, head):
    width = 8 if head == "pyramid" else None
    theirs = saved(tmp_path / "model", "segmenter", head=head, width=width).state_dict()
    arguments = {"head": head, "width": width, "n_classes": 4}
    model, _ = segmenter_from(tmp_path / "model", **arguments, classes=["background", "cow", "cat", "sheep"])
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, theirs[name]) == (not name.startswith("head.classifier") or name.endswith("bias"))
    again, _ = segmenter_from(tmp_path / "model", **arguments, classes=CLASSES)
    assert same(again.state_dict(), theirs)


@pytest.mark.parametrize("head", ["pyramid", "aspp", "fcn", "largefov", "skip"])
def test_a_network_of_more_classes_scores_some_of_them(tmp_path, head):
    saved(tmp_path / "model", "segmenter", head=head, width=None if head in ("aspp", "fcn") else 8)
    photos = torch.rand(1, 3, 33, 33) * 255
    whole, _ = load_segmenter(tmp_path / "model")
    some, _ = load_segmenter(tmp_path / "model", classes=["background", "cow", "cat"])
    torch.testing.assert_close(some(photos), whole(photos)[:, [0, 3, 1]])
    same_classes, _ = load_segmenter(tmp_path / "model", classes=CLASSES)
    assert torch.equal(same_classes(photos), whole(photos))
    with pytest.raises(InputError, match="model: knows no horse; it was trained on background, cat, dog, cow"):
        load_segmenter(tmp_path / "model", classes=["background", "horse"])
