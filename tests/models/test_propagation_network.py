"""The unary network's probabilities before and after propagation."""

import pytest
import torch

from wsss_core.affinity.propagation import propagate
from wsss_core.affinity.regions import pool
from wsss_core.losses.upsample import upsample
from wsss_core.models.attention import make_fcan
from wsss_core.models.backbone import make_backbone
from wsss_core.models.propagation import SMALLEST, make_propagation, normalised, propagation_from
from wsss_core.models.regions import make_region_network
from wsss_core.models.saved import load_model, load_segmenter, save_model
from wsss_core.models.segmenter import make_segmenter
from wsss_core.stage import InputError

TRUNK = {"backbone": "test_resnet", "output_stride": 16}
UNARY = {**TRUNK, "head": "pyramid", "n_classes": 4, "width": 8}
CLASSES = ["background", "cat", "dog", "cow"]
PHOTOS = torch.rand(2, 3, 65, 49, generator=torch.Generator().manual_seed(0)) * 255


def network(*, per_class=True, seed=0, **options):
    torch.manual_seed(seed)
    return make_propagation(**TRUNK, head="pyramid", width=8, per_class=per_class, unary=UNARY, **options)


PROPAGATED = pytest.mark.parametrize("propagated", ["probabilities", "logits"])


@PROPAGATED
@pytest.mark.parametrize("per_class", [True, False])
def test_log_probabilities_in_evaluation_and_affinities_too_in_training(per_class, propagated):
    model = network(per_class=per_class, propagated=propagated)
    log_p, affinities = model.train()(PHOTOS)
    assert log_p.shape == (2, 4, 17, 13)
    assert affinities.shape == (2, 4, 3, 4 if per_class else 1, 17, 13)
    torch.testing.assert_close(log_p.exp().sum(1), torch.ones(2, 17, 13))
    assert affinities.abs().sum(2).max() <= 1 + 1e-6
    assert isinstance(model.eval()(PHOTOS), torch.Tensor)


def test_only_the_guidance_network_learns():
    model = network().train()
    before = {name: buffer.clone() for name, buffer in model.unary.named_buffers()}
    log_p, affinities = model(PHOTOS)
    ((log_p * torch.randn_like(log_p)).sum() + affinities.square().sum()).backward()
    learning = {name for name, p in model.named_parameters() if p.grad is not None}
    assert learning == {name for name, _ in model.named_parameters() if not name.startswith("unary.")}
    assert all(torch.equal(before[name], buffer) for name, buffer in model.unary.named_buffers())  # frozen statistics


@PROPAGATED
def test_without_affinities_the_unary_network_speaks(propagated):
    model = network(propagated=propagated).eval()
    for layer in model.head.classifier:
        torch.nn.init.zeros_(layer.weight)
    with torch.no_grad():
        both = model.before_and_after(PHOTOS)
        torch.testing.assert_close(both[:, :4], both[:, 4:8], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(model.unary(PHOTOS).log_softmax(1), both[:, :4], atol=1e-4, rtol=1e-4)
    assert (both[:, 8] == 0).all()


def test_the_scans_maximum_is_divided_by_its_sum():
    spread = torch.tensor([0.6, 0.4, 0.2, 0.0]).view(1, 4, 1, 1)
    expected = torch.tensor([0.5, 1 / 3, 1 / 6, SMALLEST / 1.2])
    torch.testing.assert_close(normalised(spread).exp().flatten(), expected)
    assert normalised(-spread).isfinite().all()  # negative affinities can take a class below 0


def test_probabilities_are_propagated_or_logits():
    unary = torch.randn(1, 4, 17, 13, generator=torch.Generator().manual_seed(1)) * 1.5
    both = {}
    for propagated in ("probabilities", "logits"):
        model = network(propagated=propagated).eval()
        model.unary = Given(unary)
        with torch.no_grad():
            affinities = model.affinities(PHOTOS[:1])
            both[propagated] = model(PHOTOS[:1])
            before, after, _ = model.before_and_after(PHOTOS[:1]).split([4, 4, 1], 1)
        torch.testing.assert_close(before, unary.log_softmax(1), rtol=1e-4, atol=1e-4)
        assert torch.equal(after, both[propagated])
    spread = propagate(unary.softmax(1), affinities).clamp(min=SMALLEST)
    torch.testing.assert_close(both["probabilities"].exp(), spread / spread.sum(1, keepdim=True))
    torch.testing.assert_close(both["logits"].exp(), propagate(unary, affinities).softmax(1))
    assert (both["logits"] - both["probabilities"]).abs().max() > 0.1


class Given(torch.nn.Module):
    """Stands for a unary network of these logits."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def forward(self, photos):
        return self.logits


@PROPAGATED
def test_saved_and_loaded_it_scores_pixels_as_a_segmenter(tmp_path, propagated):
    save_model(
        tmp_path / "b",
        make_backbone("test_resnet", output_stride=16),
        {"kind": "backbone", "name": "test_resnet", "output_stride": 16},
    )
    torch.manual_seed(1)
    unary = make_segmenter(**UNARY)
    save_model(tmp_path / "u", unary, {"kind": "segmenter", **UNARY, "classes": CLASSES})
    model, description = propagation_from(
        tmp_path / "b",
        *load_segmenter(tmp_path / "u"),
        classes=CLASSES,
        head="pyramid",
        width=8,
        per_class=True,
        propagated=propagated,
    )
    save_model(tmp_path / "p", model, {**description, "classes": CLASSES})
    loaded, read = load_segmenter(tmp_path / "p", classes=CLASSES)
    assert read["unary"] == UNARY | {"field_of_view": 224} or read["unary"] == UNARY
    assert read["propagated"] == loaded.propagated == propagated
    with torch.no_grad():
        assert torch.equal(loaded(PHOTOS), model.eval()(PHOTOS))
        torch.testing.assert_close(loaded.unary(PHOTOS), unary.eval()(PHOTOS))
    before_the_choice = {key: value for key, value in description.items() if key != "propagated"}
    save_model(tmp_path / "old", model, {**before_the_choice, "classes": CLASSES})
    assert load_segmenter(tmp_path / "old")[0].propagated == "probabilities"
    torch.manual_seed(3)
    other = make_segmenter(**UNARY)
    save_model(tmp_path / "v", other, {"kind": "segmenter", **UNARY, "classes": CLASSES})
    again, _ = propagation_from(
        tmp_path / "p", *load_segmenter(tmp_path / "v"), classes=CLASSES, head="pyramid", width=8, per_class=True
    )  # the whole guidance goes on, with the unary network that it is given
    torch.testing.assert_close(again.eval().affinities(PHOTOS), model.affinities(PHOTOS))
    torch.testing.assert_close(again.unary(PHOTOS), other.eval()(PHOTOS))
    fcan = {**TRUNK, "head": "pyramid", "n_classes": 4, "width": 8, "pool": "gap"}  # its classifiers are left out
    save_model(tmp_path / "f", make_fcan(**fcan), {"kind": "fcan", **fcan, "classes": CLASSES})
    given = load_segmenter(tmp_path / "u", classes=CLASSES[:3])  # fewer classes than it was trained on
    fewer, description = propagation_from(
        tmp_path / "f", *given, classes=CLASSES[:3], head="pyramid", width=8, per_class=True
    )
    assert description["unary"]["n_classes"] == 3 and fewer.eval()(PHOTOS).shape[1] == 3
    with pytest.raises(InputError, match="propagates background, cat, dog, cow; asked for background, cat alone"):
        load_segmenter(tmp_path / "p", classes=CLASSES[:2])


def test_a_region_network_scores_each_superpixel(tmp_path):
    arguments = {**TRUNK, "n_classes": 4, "width": 8}
    torch.manual_seed(2)
    model = make_region_network(**arguments).eval()
    superpixels = torch.randint(-1, 9, (2, 65, 49), generator=torch.Generator().manual_seed(4))
    scores = model(PHOTOS, superpixels)
    assert scores.shape == (2, 9, 4)
    scores.square().sum().backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []
    renumbered = 8 - superpixels
    renumbered[superpixels < 0] = -1
    torch.testing.assert_close(model(PHOTOS, renumbered).flip(1), scores)  # a number is only a name
    save_model(tmp_path / "r", model, {"kind": "regions", **arguments})
    assert torch.equal(load_model(tmp_path / "r")[0](PHOTOS, superpixels), scores)
    with pytest.raises(InputError, match="expected a segmenter"):
        load_segmenter(tmp_path / "r")
    torch.nn.init.zeros_(model.classifier[0].weight)  # what is left are the coarsest features' scores, pooled
    coarse = upsample(model.classifier[1](model.backbone(PHOTOS)[-1]), (17, 13))
    torch.testing.assert_close(model(PHOTOS, superpixels), pool(coarse, superpixels, 9))
