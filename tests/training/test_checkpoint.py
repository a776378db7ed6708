"""Checkpoints are whole, and damage is seen."""

import logging
from pathlib import Path

import pytest
import torch

from wsss_core.training.checkpoint import checkpoint_path, load_checkpoint, save_checkpoint

STATE = {"model": {"w": torch.arange(1000.0)}, "rows": [{"step": 1, "lr": 0.1}]}


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "below" / "a.ckpt"
    save_checkpoint(path, STATE)
    state = load_checkpoint(path)
    assert torch.equal(state["model"]["w"], STATE["model"]["w"])
    assert state["rows"] == STATE["rows"]
    assert [p.name for p in path.parent.iterdir()] == ["a.ckpt"]


def test_no_file_is_no_state(tmp_path):
    assert load_checkpoint(tmp_path / "a.ckpt") is None


@pytest.mark.parametrize("damage", ["cut short", "empty", "a flipped bit", "text"])
def test_a_damaged_file_is_left_aside_with_a_warning(tmp_path, caplog, damage):
    path = tmp_path / "a.ckpt"
    save_checkpoint(path, STATE)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(
        {"cut short": path.read_bytes()[:-9], "empty": b"", "a flipped bit": bytes(content), "text": b"x" * 99}[damage]
    )
    with caplog.at_level(logging.WARNING):
        assert load_checkpoint(path) is None
    assert "damaged" in caplog.text


def test_stale_checkpoints_of_the_same_output_are_removed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = checkpoint_path(Path("data/train/a-b"), "0123456789abcdef")
    old = checkpoint_path(Path("data/train/a"), "fedcba9876543210")
    for path in (other, old):
        save_checkpoint(path, STATE)
    new = checkpoint_path(Path("data/train/a"), "0123456789abcdef")
    assert new.parent == Path("data/.work")
    assert not old.exists()
    assert other.exists()
    save_checkpoint(new, STATE)
    assert checkpoint_path(Path("data/train/a"), "0123456789abcdef") == new and new.exists()
