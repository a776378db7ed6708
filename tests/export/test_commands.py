"""`wsss export` as typed, and what `wsss --help` must not load."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wsss_core.cli.main import app
from wsss_core.stage import InputError

from .conftest import stripes

FILE = "data/exports/mine_comp6_val.tar.gz"


def test_what_voc_server_writes_passes_check(project, predict):
    project()
    predict(labels=stripes)
    runner = CliRunner()
    done = runner.invoke(app, ["export", "voc-server", "mine"])
    assert (done.exit_code, done.output) == (0, f"wrote {FILE}: 3 images of val, checked\n")
    done = runner.invoke(app, ["export", "check", FILE])
    assert (done.exit_code, done.output) == (0, f"{FILE}: nothing wrong\n")


def test_check_lists_all_problems_and_fails(project, predict):
    project({"a": (2, 2)})
    predict(labels=stripes)
    CliRunner().invoke(app, ["export", "voc-server", "mine"])
    project({"a": (2, 3), "b": (1, 1)})
    done = CliRunner().invoke(app, ["export", "check", FILE])
    assert done.exit_code == 1 and len(done.stderr.splitlines()) == 2
    with pytest.raises(InputError, match=f"{FILE}: 2 problems, named above"):
        raise done.exception


def test_errors_are_one_line(project, predict):
    project()
    wsss = Path(sys.executable).parent / "wsss"
    done = subprocess.run([wsss, "export", "voc-server", "mine"], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == "error: mine: no such run below data/predictions; there are: none\n"


def test_the_command_line_loads_no_torch():
    code = "import sys, wsss_core.cli.main; print({'torch', 'cv2', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
