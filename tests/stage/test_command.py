"""What a stage does around its work: arguments, one-line errors, exit codes, whole outputs."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wsss_core.stage import InputError, whole_folder
from wsss_core.stage.command import run

PYTHONPATH = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def call(monkeypatch, main, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["stage", *arguments])
    try:
        run(main, "saliency")
    except SystemExit as stop:
        return int(stop.code)
    return 0


def test_arguments_follow_the_annotations(monkeypatch):
    got = {}

    def main(*, out: Path, seed: int = 0, part: str | None = None) -> None:
        got.update(out=out, seed=seed, part=part)

    assert call(monkeypatch, main, "--out", "data/x", "--seed", "3") == 0
    assert got == {"out": Path("data/x"), "seed": 3, "part": None}
    cost = json.loads(Path("data/.work/costs/data.x.json").read_text())
    assert cost["stage"] == "saliency"
    assert cost["peak_mib"] > 0


def noted() -> dict:
    return json.loads(Path("data/.work/costs/data.x.json").read_text())


def failing(*errors: BaseException | None):
    """A stage that ends with one after the other of these."""
    left = list(errors)

    def main(*, out: Path) -> None:
        if error := left.pop(0):
            raise error

    return main


@pytest.mark.parametrize(
    ("errors", "interrupted"),
    [
        ([None], False),
        ([KeyboardInterrupt(), None], True),
        ([RuntimeError("out of memory"), None], True),
        ([OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt(), None], True),
        ([KeyboardInterrupt(), None, None], False),  # the last did all of it
        ([InputError("params.yaml: a.b: unknown key"), None], False),  # other settings begin anew
        ([KeyboardInterrupt(), InputError("params.yaml: a.b: unknown key"), None], True),
    ],
)
def test_a_cost_says_whether_an_attempt_before_it_did_not_end(monkeypatch, errors, interrupted):
    main = failing(*errors)
    for error in errors:
        assert (call(monkeypatch, main, "--out", "data/x") == 0) is (error is None)
    assert noted()["interrupted"] is interrupted
    assert [path.name for path in Path("data/.work/costs").iterdir()] == ["data.x.json"]


def test_a_killed_attempt_is_known_to_the_next(monkeypatch):
    code = (
        "import os; from pathlib import Path; from wsss_core.stage.command import run\n"
        "def main(*, out: Path) -> None: os.kill(os.getpid(), 9)\n"
        "run(main, 'saliency')"
    )
    killed = subprocess.run([sys.executable, "-c", code, "--out", "data/x"], check=False, env=os.environ | PYTHONPATH)
    assert killed.returncode == -9
    assert call(monkeypatch, failing(None), "--out", "data/x") == 0
    assert noted()["interrupted"] is True


def test_one_process_of_a_distributed_training_notes_its_cost(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert call(monkeypatch, failing(None), "--out", "data/x") == 0
    assert not Path("data").exists()


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("params.yaml: a.b: unknown key"), 1, "error: saliency: params.yaml: a.b: unknown key"),
        (ValueError("size 3"), 1, "error: saliency: size 3"),
        (OSError(errno.ENOSPC, "No space left", "data/x"), 1, "no space left on the disk while writing data/x"),
        (KeyboardInterrupt(), 130, "interrupted; run the same command again"),
        (RuntimeError("odd"), 1, "RuntimeError: odd"),
    ],
)
def test_failures_are_one_line(monkeypatch, capsys, error, code, message):
    def main(*, out: Path) -> None:
        with whole_folder(out) as folder:
            (folder / "half").touch()
            raise error

    assert call(monkeypatch, main, "--out", "data/x") == code
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert not Path("data/x").exists()


def test_a_whole_folder_replaces_the_old_one():
    for name in ("one", "two"):
        with whole_folder(Path("data/x")) as folder:
            (folder / name).touch()
    assert [p.name for p in Path("data/x").iterdir()] == ["two"]


def test_missing_arguments_exit_with_2(monkeypatch, capsys):
    def main(*, out: Path) -> None: ...

    assert call(monkeypatch, main) == 2
    assert "--out" in capsys.readouterr().err
