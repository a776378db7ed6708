"""Learning rates by hand."""

import pytest
from torch import nn

from wsss_core.models.segmenter import make_segmenter
from wsss_core.training.optimiser import learning_rate, make_optimiser, set_learning_rate, set_training_mode
from wsss_core.training.settings import TrainingSettings


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.head = nn.Conv2d(4, 2, 1)


def rates(steps: int, **given: object) -> list[float]:
    return [learning_rate(TrainingSettings(lr=0.1, **given), step, steps) for step in range(steps)]


def test_poly_falls_from_the_rate_towards_zero():
    assert rates(4, schedule="poly", power=0.5) == pytest.approx([0.1, 0.1 * 0.75**0.5, 0.1 * 0.5**0.5, 0.05])


def test_step_divides_at_every_share_of_the_training():
    assert rates(10, schedule="step", step_every=0.3, step_factor=0.1) == pytest.approx(
        [0.1] * 3 + [0.01] * 3 + [0.001] * 3 + [0.0001]
    )
    assert rates(10, schedule="step", step_every=0.1, step_factor=0.5) == pytest.approx([0.1 / 2**k for k in range(10)])


def test_constant_after_a_warmup():
    assert rates(8, schedule="constant", warmup=0.375) == pytest.approx([0.025, 0.05, 0.075] + [0.1] * 5)


def test_head_and_bias_factors_and_decay_of_weights_only():
    model = Network()
    settings = TrainingSettings(head_lr_factor=10, head_bias_lr_factor=20, weight_decay=0.3)
    optimiser = make_optimiser(model, settings)
    set_learning_rate(optimiser, 0.01)
    of = {id(p): (g["lr"], g["weight_decay"]) for g in optimiser.param_groups for p in g["params"]}
    assert {name: of[id(p)] for name, p in model.named_parameters()} == {
        "backbone.0.weight": (0.01, 0.3),
        "backbone.0.bias": (0.01, 0.0),
        "backbone.1.weight": (0.01, 0.0),
        "backbone.1.bias": (0.01, 0.0),
        "head.weight": (0.1, 0.3),
        "head.bias": (0.2, 0.0),
    }


def test_fc6_and_fc7_learn_at_the_backbones_rate():
    network = make_segmenter(backbone="test_resnet", output_stride=16, head="largefov", n_classes=2, width=4)
    optimiser = make_optimiser(network, TrainingSettings(head_lr_factor=10, head_bias_lr_factor=20))
    factors = {id(p): group["factor"] for group in optimiser.param_groups for p in group["params"]}
    faster = {name: factors[id(p)] for name, p in network.named_parameters() if factors[id(p)] != 1}
    assert faster == {"head.classifier.weight": 10, "head.classifier.bias": 20}


def test_frozen_batch_norm_keeps_statistics_and_parameters():
    model = Network()
    set_training_mode(model, freeze_batch_norm=True)
    norm = model.backbone[1]
    assert model.training and model.head.training and not norm.training
    trained = {id(p) for g in make_optimiser(model, TrainingSettings()).param_groups for p in g["params"]}
    assert not trained & {id(p) for p in norm.parameters()}
    assert len(trained) == 4


def test_a_frozen_network_keeps_the_statistics_of_its_batch_norms():
    model = Network()
    model.backbone.requires_grad_(False)
    set_training_mode(model, freeze_batch_norm=False)
    assert model.head.training and not model.backbone[1].training
    model = Network()
    set_training_mode(model, freeze_batch_norm=False)
    assert model.backbone[1].training
