"""The graph says what it depends on: deps are the import closure, sections exist, outs have one name."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
GRAPH = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())
STAGES = {name: stage.get("do", stage) for name, stage in GRAPH["stages"].items()}
# Only re-exports `open`; were it a dependency, each stage would follow every other's API.
EXEMPT = ROOT / "wsss_core/__init__.py"


def file_of(module: str) -> Path | None:
    path = ROOT / module.replace(".", "/")
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def imported(file: Path) -> set[Path]:
    """Files of this project that importing `file` runs: the modules it names and their packages."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parents = {".".join(name.split(".")[:n]) for name in names for n in range(1, name.count(".") + 2)}
    return {p for name in parents if name.split(".")[0] in ("wsss_core", "stages") and (p := file_of(name))} - {EXEMPT}


def closure(script: Path) -> set[Path]:
    found, todo = set(), {script}
    while todo:
        file = todo.pop()
        found.add(file)
        todo |= imported(file) - found
    return found


def test_every_script_is_a_stage_and_every_stage_a_script():
    assert {p.stem for p in (ROOT / "stages").glob("*.py")} - {"__init__"} == set(STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_code_dependencies_are_the_import_closure(name):
    files = closure(ROOT / f"stages/{name}.py") - {ROOT / "stages/__init__.py"}
    expected = {
        f"stages/{p.name}" if p.parent.name == "stages" else f"wsss_core/{p.relative_to(ROOT).parts[1]}" for p in files
    }
    deps = {d for d in STAGES[name]["deps"] if d.startswith(("wsss_core/", "stages/")) and d != "stages/rows.yaml"}
    assert deps == expected


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_what_it_reads_of_the_budget(name):
    source = (ROOT / f"stages/{name}.py").read_text()
    read = set(re.findall(r"budget\.(\w+)", source)) | ({"size", "crop"} if "augment(budget" in source else set())
    read = {"images_seen" if key == "images" else key for key in read}  # what `Budget.images` divides
    params = STAGES[name].get("params", [])
    named = {param.partition(".")[2] for param in params if param.split(".")[0] == "budget"}
    assert named == {""} or read <= named, name


@pytest.mark.parametrize(("training", "mapping"), [("train_regions", "mine_regions"), ("train_pixel_features", "walk")])
def test_settings_of_a_mapping_train_no_network(training, mapping):
    trained, mapped = (STAGES[name] for name in (training, mapping))
    assert trained["outs"][0] in mapped["deps"]
    assert {param.split(".")[0] for param in trained["params"]} == {"budget", "training", training}
    assert {param.split(".")[0] for param in mapped["params"]} == {"budget", mapping}
    assert not {"--seed", "--networks", "--start"} & set(mapped["cmd"].split())


@pytest.mark.parametrize("name", STAGES)
def test_torch_stays_out_of_stages_that_need_none(name):
    files = closure(ROOT / f"stages/{name}.py")
    torch_free = not any("torch" in line for f in files for line in f.read_text().splitlines() if "import" in line)
    light = {"make_scenes", "ingest", "superpixels", "select_easy", "evaluate", "report"}
    assert torch_free == (name in light)


@pytest.mark.parametrize("name", ["box_labels", "mine_cues"])
def test_a_stage_that_may_need_a_crf_does_not_load_torch_at_its_start(name):
    code = f"import sys, stages.{name}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("name", STAGES)
def test_stage_script_section_and_command_share_one_word(name):
    stage = STAGES[name]
    assert f"python -m stages.{name} " in stage["cmd"]
    assert name == "evaluate" or any(param.split(".")[0] == name for param in stage["params"])
    assert f"stages/{name}.py" in stage["deps"]


def test_compiled_files_and_work_in_progress_do_not_count():
    ignored = (ROOT / ".dvcignore").read_text().split()
    assert {"__pycache__", "data/.work"} <= set(ignored)


def test_a_stage_settles_its_threads_before_torch_and_numba_are_there():
    says = (
        "import sys, stages, os; print('torch' in sys.modules or 'numba' in sys.modules, os.environ['GOMP_SPINCOUNT']);"
        "import numba; print(numba.get_num_threads())"
    )
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "NUMBA_NUM_THREADS")
    }
    environment["OMP_NUM_THREADS"] = "3,1"
    told = subprocess.run([sys.executable, "-c", says], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert told.stdout.split() == ["False", "3000", "3"]
