"""Two processes train the same network as one."""

import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wsss_core.stage import InputError
from wsss_core.training.loop import train
from wsss_core.training.settings import TrainingSettings

SCRIPT = Path(__file__).parent / "tiny_training.py"


def start(folder, rank: int, world: int, port: int) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    launched = {"RANK": rank, "WORLD_SIZE": world, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **{key: str(value) for key, value in launched.items()}}
    return subprocess.Popen([sys.executable, str(SCRIPT), str(folder)], env=environment, stderr=subprocess.PIPE)


def test_two_processes_reach_the_weights_and_the_log_of_one(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    alone, both = tmp_path / "alone", tmp_path / "both"
    processes = [start(both, rank, 2, port) for rank in (0, 1)]
    try:
        alone.mkdir()
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(alone)])
        runpy.run_path(str(SCRIPT))
        for process in processes:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors.decode()
    finally:
        for process in processes:
            process.kill()
            process.wait()
    one = torch.load(alone / "0.pt")
    for rank in (0, 1):
        for key, value in torch.load(both / f"{rank}.pt").items():
            assert torch.allclose(one[key], value, atol=1e-6)
    curves = [
        [[float(cell) for cell in line.split(",")] for line in (folder / "0.csv").read_text().splitlines()[1:]]
        for folder in (alone, both)
    ]
    assert len(curves[0]) == 3
    for line, other in zip(*curves, strict=True):
        assert other == pytest.approx(line, rel=1e-4)
    assert not (both / "1.csv").exists()


def test_a_batch_that_cannot_be_divided_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(InputError, match="batch 4 cannot be divided among 3 processes"):
        train(
            torch.nn.Linear(1, 1),
            [],
            lambda scores, batch: {},
            settings=TrainingSettings(batch=4),
            images_seen=4,
            seed=0,
            checkpoint=None,
            log=tmp_path / "loss.csv",
        )
