"""What every stage of this run cost. Written beside DVC's outputs, never into one: a clock would change their bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wsss_core.report.claim_list import CLAIMS
from wsss_core.report.claims import Judged, as_json, judge
from wsss_core.report.figures import SECONDS, Figures
from wsss_core.report.page import environment
from wsss_core.stage import InputError, load_params, whole_file
from wsss_core.stage.command import COSTS

SEGMENTERS = Path("data/segmenters")


@dataclass(frozen=True)
class Cost:
    """A stage's last run: its `--out`, wall time, peak memory of its largest process, bytes of all its outputs.

    `interrupted` where an attempt before it did not end: the seconds may be only those since it went on.
    """

    stage: str
    out: str
    seconds: float
    peak_mib: int
    bytes: int
    interrupted: bool = False

    @property
    def time(self) -> str:
        """The seconds for people."""
        return f"{self.seconds:.1f}{', interrupted before' * self.interrupted}"


def read_costs(folder: Path = COSTS, graph: Path = Path("dvc.yaml")) -> list[Cost]:
    """The costs that stages left in `folder`, by output; those whose output is gone are left out.

    Raises:
        InputError: a file is damaged.
    """
    stages = load_params(graph)["stages"]
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            noted = json.loads(path.read_text(encoding="utf-8"))
            stage, out = str(noted["stage"]), Path(noted["out"])
            if out.exists():
                size = sum(map(_bytes, _outs(stages.get(stage, {}), out)))
                seconds, peak = float(noted["seconds"]), int(noted["peak_mib"])
                found.append(Cost(stage, str(out), seconds, peak, size, bool(noted.get("interrupted", False))))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: damaged ({error}); remove it") from None
    return found


def write_costs(costs: Sequence[Cost], out: Path) -> None:
    """Write `costs.json` and `costs.html` below `out`, with the claims that compare times of whole trainings."""
    timed = [claim for claim in CLAIMS if any(c.first.endswith(f":{SECONDS}") for c in claim.comparisons)]
    whole = [cost for cost in costs if Path(cost.out).parent == SEGMENTERS and not cost.interrupted]
    judged = judge(timed, Figures([], {}, seconds={Path(cost.out).name: cost.seconds for cost in whole}))
    values = {"stages": [asdict(cost) for cost in costs], "claims": as_json(judged)}
    with whole_file(out / "costs.json") as building:
        building.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with whole_file(out / "costs.html") as building:
        building.write_text(_render(costs, judged), encoding="utf-8")


def _render(costs: Sequence[Cost], judged: Sequence[Judged]) -> str:
    return environment().get_template("costs.html").render(costs=costs, judged=judged)


def _outs(stage: Mapping[str, Any], out: Path) -> list[Path]:
    """All outputs of the stage whose `--out` is given, as dvc.yaml lists them; one of many rows has that one alone."""
    stage = stage.get("do", stage)
    names = [name for entry in (*stage.get("outs", ()), *stage.get("metrics", ())) for name in _names(entry)]
    return [out] if not names or any("$" in name for name in names) else [Path(name) for name in names]


def _names(entry: str | Mapping[str, Any]) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry)


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
