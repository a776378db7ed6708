"""One training loop: it learns, it repeats itself, and it goes on where it was killed."""

import csv
import logging
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import StackDataset

from wsss_core.stage import InputError
from wsss_core.training.checkpoint import load_checkpoint
from wsss_core.training.loop import train
from wsss_core.training.settings import TrainingSettings

SETTINGS = TrainingSettings(lr=0.05, batch=4, workers=0, checkpoint_every=1)


def network(dropout: float = 0.5) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(dropout), nn.Conv2d(8, 2, 1)
    )


def samples(different: int = 64) -> StackDataset:
    """64 images of noise, so many of them different, whose bright pixels are class 1."""
    image = torch.rand((different, 3, 9, 9), generator=torch.Generator().manual_seed(1))
    image = image.repeat(64 // different, 1, 1, 1)
    return StackDataset(image=image, labels=(image.mean(1) > 0.5).long())


def loss(scores: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"pixels": F.cross_entropy(scores, batch["labels"]), "size": 0.01 * scores.square().mean()}


def run(
    folder: Path,
    *,
    model: nn.Module | None = None,
    loss=loss,
    images_seen: int = 24,
    checkpoint=True,
    different=64,
    **settings,
) -> nn.Module:
    model = network() if model is None else model
    train(
        model,
        samples(different),
        loss,
        settings=TrainingSettings(**{**vars(SETTINGS), **settings}),
        images_seen=images_seen,
        seed=3,
        checkpoint=folder / "work" / "a.ckpt" if checkpoint else None,
        log=folder / "out" / "loss.csv",
        device=torch.device("cpu"),
        description="tiny",
    )
    return model


def equal(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


class KilledAt:
    """The loss, until its n-th call."""

    def __init__(self, call: int) -> None:
        self.left = call

    def __call__(self, scores: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return loss(scores, batch)


def test_it_overfits_a_handful_of_images(tmp_path):
    run(tmp_path, model=network(dropout=0.0), images_seen=64, different=4, lr=0.2)
    with open(tmp_path / "out" / "loss.csv") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "images", "lr", "pixels", "size", "total"]
    assert [int(row["images"]) for row in rows] == list(range(4, 65, 4))
    assert float(rows[-1]["pixels"]) < 0.5 * float(rows[0]["pixels"])
    assert all(float(r["total"]) == pytest.approx(float(r["pixels"]) + float(r["size"]), rel=1e-4) for r in rows)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_killed_run_goes_on_to_the_same_weights_and_log(tmp_path, optimizer, accumulate):
    settings = {"optimizer": optimizer, "accumulate": accumulate, "images_seen": 24 * accumulate}
    straight = run(tmp_path / "straight", **settings)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed", loss=KilledAt(3 * accumulate + 1), **settings)
    assert len(load_checkpoint(tmp_path / "killed/work/a.ckpt")["rows"]) == 3
    torch.rand(7)  # another process would have another random state
    calls = KilledAt(-1)
    resumed = run(tmp_path / "killed", loss=calls, **settings)
    assert calls.left == -1 - 3 * accumulate
    assert equal(straight, resumed)
    logs = [(tmp_path / name / "out/loss.csv").read_bytes() for name in ("straight", "killed")]
    assert logs[0] == logs[1]
    assert logs[0].count(b"\n") == 7
    assert equal(straight, run(tmp_path / "killed", loss=KilledAt(0), **settings))  # it has the end, too


def test_a_damaged_checkpoint_starts_anew(tmp_path):
    straight = run(tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed", loss=KilledAt(4))
    (tmp_path / "killed/work/a.ckpt").write_bytes(b"nothing")
    assert equal(straight, run(tmp_path / "killed"))


def test_checkpoints_come_every_so_many_steps(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, loss=KilledAt(6), checkpoint_every=2)
    assert len(load_checkpoint(tmp_path / "work/a.ckpt")["rows"]) == 4


def test_accumulation_equals_the_larger_batch(tmp_path):
    def plain() -> nn.Module:
        torch.manual_seed(0)
        return nn.Conv2d(3, 2, 3, padding=1)

    whole = run(tmp_path, model=plain(), batch=4, checkpoint=False)
    parts = run(tmp_path, model=plain(), batch=2, accumulate=2, checkpoint=False)
    for a, b in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    assert not torch.allclose(whole.weight, plain().weight, atol=1e-3)


def test_one_sgd_step_by_hand(tmp_path):
    """w ← w − lr · factor · (g + decay · w), without decay for the bias; momentum starts with the gradient."""
    model = nn.Conv2d(3, 1, 1)
    with torch.no_grad():
        model.weight.fill_(2.0)
        model.bias.fill_(1.0)
    settings = {"head_lr_factor": 10, "head_bias_lr_factor": 20, "weight_decay": 0.1, "lr": 0.001, "batch": 1}

    def first_weight(scores: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sum": model.weight.sum() * 3 + model.bias.sum() * 5 + 0 * scores.sum()}

    run(tmp_path, model=model, loss=first_weight, images_seen=1, **settings)
    assert model.weight.flatten().tolist() == pytest.approx([2 - 0.01 * (3 + 0.2)] * 3)
    assert model.bias.item() == pytest.approx(1 - 0.02 * 5)


def test_length_is_rounded_up_to_whole_steps(tmp_path):
    run(tmp_path, images_seen=17, accumulate=2)
    assert (tmp_path / "out/loss.csv").read_text().splitlines()[-1].startswith("3,24,")
    with pytest.raises(ValueError, match="at least 1, got 0"):
        run(tmp_path, images_seen=0)


def test_samples_from_worker_processes_train_the_same_network(tmp_path):
    assert equal(run(tmp_path, workers=0), run(tmp_path, workers=2))


def test_a_loss_that_is_not_finite_stops_with_the_way_out(tmp_path):
    before = network()
    model = network()

    def broken(scores: Tensor, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"fine": scores.mean(), "broken": scores.mean() / 0}

    with pytest.raises(InputError, match=r"tiny: step 1: the loss 'broken' is -?inf .*; lower training.lr") as error:
        run(tmp_path, model=model, loss=broken)
    assert "\n" not in str(error.value)
    assert all(torch.equal(a, b) for a, b in zip(before.parameters(), model.parameters(), strict=True))


def test_frozen_batch_norm_does_not_move(tmp_path):
    model = run(tmp_path, freeze_batch_norm=True)
    assert all(
        torch.equal(a, b)
        for a, b in zip(model[1].state_dict().values(), network()[1].state_dict().values(), strict=True)
    )
    assert not torch.equal(model[0].weight, network()[0].weight)


def test_no_setting_of_torch_stays_changed(tmp_path):
    run(tmp_path)
    assert not torch.are_deterministic_algorithms_enabled()


def test_progress_without_a_terminal_is_ten_lines(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        run(tmp_path, images_seen=40, batch=1)
    lines = [record.getMessage() for record in caplog.records if "images/s" in record.getMessage()]
    assert len(lines) == 10
    assert lines[0].startswith("tiny: step 4/40, loss ")


class RefusingSamples(torch.utils.data.Dataset):
    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        raise InputError("photo 7: damaged; run ingest")


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_in_a_worker_stays_one_line(tmp_path, workers):
    with pytest.raises(InputError) as error:
        train(
            torch.nn.Conv2d(3, 1, 1),
            RefusingSamples(),
            lambda scores, batch: {"x": scores.mean()},
            settings=TrainingSettings(workers=workers),
            images_seen=10,
            seed=0,
            checkpoint=None,
            log=tmp_path / "loss.csv",
        )
    assert str(error.value) == "photo 7: damaged; run ingest"


def test_a_network_names_what_else_it_needs_of_a_batch(tmp_path):
    class Biased(nn.Module):
        inputs = ("image", "labels")

        def __init__(self) -> None:
            super().__init__()
            self.inner = network(dropout=0)

        def forward(self, image: Tensor, labels: Tensor) -> Tensor:
            scores: Tensor = self.inner(image)
            return scores + 9 * F.one_hot(labels, 2).movedim(-1, 1)

    torch.manual_seed(0)
    run(tmp_path, model=Biased(), images_seen=4)
    with open(tmp_path / "out" / "loss.csv") as file:
        assert float(next(csv.DictReader(file))["pixels"]) < 0.01  # it was told the labels
