"""Every stage of the graph on 300 and on 1,200 images: speed without start-up, and peak memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
SIZES = (300, 1200)


def stage_table() -> str:
    small, large = (run_graph(images) for images in SIZES)
    rows = [
        f"| stage | s at {SIZES[0]} | s at {SIZES[1]} | images/s | MiB at {SIZES[0]} | MiB at {SIZES[1]} |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for out, before in small.items():
        after = large[out]
        seconds = after["seconds"] - before["seconds"]
        speed = f"{(SIZES[1] - SIZES[0]) / seconds:.0f}" if _per_image(before["stage"]) and seconds > 0 else "–"
        rows.append(
            f"| {before['stage']} → {out} | {before['seconds']:.1f} | {after['seconds']:.1f} | {speed} "
            f"| {before['peak_mib']} | {after['peak_mib']} |"
        )
    return "\n".join(rows)


def run_graph(images: int) -> dict[str, dict]:
    """The demo's graph on that many scenes of 160 px, with short trainings; the cost of each stage by its output."""
    folder = Path(tempfile.mkdtemp(prefix="wsss_bench_"))
    try:
        for name in ("dvc.yaml", "stages", "wsss_core", "data/README.md", "reports/README.md"):
            source, target = ROOT / name, folder / name
            target.parent.mkdir(exist_ok=True)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        yaml = YAML()
        params = yaml.load((ROOT / "wsss_core/presets/demo.yaml").read_text())
        params["make_scenes"] |= {
            "train": images * 8 // 10,
            "val": images // 10,
            "easy": images // 10,
            "saliency": images,
        }
        params["budget"]["images_seen"] = 40
        for stage in ("train_saliency", *(f"train_attention.{name}" for name in params["train_attention"])):
            node = params
            for key in stage.split("."):
                node = node[key]
            node["images_seen"] = 40
        params["select_easy"] |= {
            "min_area": 0.0,
            "max_area": 1.0,
            "max_offset": 1.0,
            "min_agreement": 0.0,
            "max_components": 1000,
        }
        with open(folder / "params.yaml", "w") as file:
            yaml.dump(params, file)
        bin_ = Path(sys.executable).parent
        environment = {**os.environ, "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}"}
        for command in (["dvc", "init", "--no-scm", "-q"], ["dvc", "repro", "-q"]):
            subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        costs = [json.loads(path.read_text()) for path in sorted((folder / "data/.work/costs").glob("*.json"))]
        return {cost["out"]: cost for cost in costs}
    finally:
        shutil.rmtree(folder)


def _per_image(stage: str) -> bool:
    return not stage.startswith("train_") and stage not in ("backbone", "report")
