"""A whole project in a folder, small enough that its graph runs in a test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from preloaded import preloaded_python
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
yaml = YAML()


def copy_project(folder: Path) -> None:
    """The project as a clone has it, without its tests."""
    for name in ("dvc.yaml", ".dvcignore", "stages", "wsss_core", "data/README.md", "reports/README.md"):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def make_project(folder: Path) -> None:
    """The demo's graph on a few dozen scenes of 64 px, with trainings of a step or two."""
    copy_project(folder)
    run(folder, "wsss", "init", "demo")
    edit_params(folder, shrink)
    run(folder, "dvc", "init", "--no-scm", "-q")


def shrink(params) -> None:
    if "make_scenes" in params:
        params["make_scenes"] |= {"size": 64, "train": 12, "val": 4, "easy": 8, "saliency": 10}
    params["budget"] |= {"size": 64, "images_seen": 24}
    params["training"] |= {"batch": 4, "workers": 0}
    params["train_saliency"]["images_seen"] = 8
    if params["saliency"]["thresholds"]:  # a detector this raw has to find something to erase
        params["saliency"]["thresholds"] = [0.5, 0.52]
    for network in params["train_attention"].values():
        network["images_seen"] = 8
    # Networks this raw find nothing; every image has to count as easy for the graph to go on.
    params["select_easy"] |= {"min_side": 1, "min_area": 0.0, "max_area": 1.0, "max_offset": 1.0}
    params["select_easy"] |= {"min_agreement": 0.0, "max_components": 10000}
    params["report"]["images"] = 2


def edit_params(folder: Path, edit) -> None:
    params = yaml.load((folder / "params.yaml").read_text())
    edit(params)
    with open(folder / "params.yaml", "w") as file:
        yaml.dump(params, file)


def run(folder: Path, *command: str) -> str:
    """Run a command of this environment in the project; its output, also when it fails."""
    path = os.pathsep.join([str(preloaded_python()), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr


def repro(folder: Path, *arguments: str) -> list[str]:
    """`dvc repro`; the stages it ran, in order, as its "Running stage" lines tell."""
    output = run(folder, "dvc", "repro", *arguments)
    assert "ERROR" not in output and "error:" not in output, output
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]
