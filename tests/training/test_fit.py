"""The end of a training: whole, or nothing but what it takes to go on."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import StackDataset

from wsss_core.training.fit import fit
from wsss_core.training.repeatable import repeatable
from wsss_core.training.settings import TrainingSettings


@pytest.fixture
def finish(tmp_path, monkeypatch):
    """Train a network of one weight in an empty working directory and end with these figures."""
    monkeypatch.chdir(tmp_path)

    def run(figures=None):
        steps = []

        def loss(scores, _batch):
            steps.append(len(steps))
            return {"size": scores.square().mean()}

        torch.manual_seed(0)
        fit(
            Path("data/nets/a"),
            nn.Conv2d(3, 1, 1),
            StackDataset(image=torch.rand(64, 3, 5, 5, generator=torch.Generator().manual_seed(1))),
            loss,
            saved_as={"kind": "backbone"},
            settings=TrainingSettings(batch=4, workers=0, checkpoint_every=100),
            images_seen=12,
            seed=0,
            key="0123456789abcdef",
            figures=figures,
        )
        return len(steps)

    return run


def test_a_finished_training_leaves_a_network_and_no_checkpoint(finish):
    assert finish() == 3
    assert Path("data/nets/a/weights.safetensors").is_file() and not list(Path("data/.work").glob("*.ckpt"))


def test_what_fails_after_the_last_step_costs_no_training(finish):
    def broken(_folder):
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        finish(broken)
    assert not Path("data/nets/a").exists()
    assert finish() == 0  # goes on from the last step
    assert Path("data/nets/a/loss.csv").read_text().count("\n") == 4


def test_convolutions_keep_cudnn():
    """The flags of torch.backends.cudnn turn it off unless they are told not to."""
    before = torch.backends.cudnn.enabled
    with repeatable():
        assert torch.backends.cudnn.enabled == before
        assert torch.backends.cudnn.deterministic
