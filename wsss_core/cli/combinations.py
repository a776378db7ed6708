"""The wiring rows of combinations: cues, losses, E-steps and regions of different papers in one chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wsss_core.cli.step_rows import StepRows, add_propagation, add_regions

REGIONS = "regions"


@dataclass(frozen=True, kw_only=True)
class Combination:
    """A section of `rows.combined`: what the first network learns from, and what each further one does.

    Attributes:
        cues: section of `mine_cues`.
        settings: section of `train_segmenter`, the loss and head of all its networks.
        then: what follows, in order: a section of `estep`, whose labels or posteriors the next network learns from, or
            `regions`: confident regions and propagation, and the next network, if any, from what that refined.
        start: where the first network starts, as `attention_nets/fcan`; by default as `rows.tagged` says.
    """

    cues: str
    settings: str
    then: tuple[str, ...] = ()
    start: str | None = None


def combined_rows(combinations: Mapping[str, Combination], *, seeds: int, tagged: bool, start: str) -> StepRows:
    """Networks `<name>_0`, `<name>_1`, … of every combination, `<name>_<t>_spn` after regions and propagation.

    Args:
        combinations: by name.
        tagged: a region network starts from the segmenter whose labels it judges.
        start: where a first network and a propagation start.
    """
    rows = StepRows()
    for name, combination in combinations.items():
        for seed in range(seeds):
            _add_chain(rows, name, combination, seed=seed, tagged=tagged, start=start)
    return rows


def _add_chain(rows: StepRows, name: str, combination: Combination, *, seed: int, tagged: bool, start: str) -> None:
    s = f"_s{seed}" if seed else ""
    network = 0
    shown = []

    def train(labels: str, begin: str, part: str) -> None:
        run = f"{name}_{network}{s}"
        rows.runs[run] = {"settings": combination.settings, "labels": labels, "start": begin, "seed": seed}
        shown.append({"run": run, "part": part})

    train(f"cues/{combination.cues}", combination.start or start, f"{combination.settings} on cues {combination.cues}")
    for number, part in enumerate(combination.then, start=1):
        before = f"{name}_{network}{s}"
        unary = f"segmenters/{before}"
        if part == REGIONS:
            rows.esteps[f"{name}_{network}_own{s}"] = {"settings": "affinity", "segmenter": unary}
            own = f"posteriors/{name}_{network}_own{s}"
            add_regions(rows, before, own, unary if tagged else start, seed)
            add_propagation(rows, f"{before}_spn", unary, f"regions/{before}", start, seed)
            shown.append({"run": f"{before}_spn", "part": "regions and propagation"})
            if number == len(combination.then):
                break
            rows.refinements[before] = {"segmenter": f"segmenters/{before}_spn", "labels": f"regions/{before}"}
            labels = f"refined/{before}"
        else:
            labels = f"posteriors/{name}_{network + 1}{s}"
            rows.esteps[f"{name}_{network + 1}{s}"] = {"settings": part, "segmenter": unary}
        network += 1
        train(labels, unary, f"again on {'refined labels' if part == REGIONS else part}")
    if not seed:
        rows.combinations[name] = shown
