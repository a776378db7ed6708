"""The wiring rows of iterative affinity learning."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

Kind = dict[str, Any]
How = dict[str, int]  # the seed of a training, and the number of networks that share the budget


@dataclass(frozen=True)
class StepRows:
    """Rows by kind.

    For the report `chains` names what was evaluated of every step of a method, `combined` the runs of every
    combination and what each of them does.
    """

    cues: Kind = field(default_factory=dict)
    runs: Kind = field(default_factory=dict)
    esteps: Kind = field(default_factory=dict)
    regions: Kind = field(default_factory=dict)
    affinities: Kind = field(default_factory=dict)
    refinements: Kind = field(default_factory=dict)
    walks: Kind = field(default_factory=dict)
    chains: Kind = field(default_factory=dict)
    combined: Kind = field(default_factory=dict)

    def __or__(self, other: StepRows) -> StepRows:
        return StepRows(**{kind.name: getattr(self, kind.name) | getattr(other, kind.name) for kind in fields(self)})


def affinity_rows(
    *, steps: int, networks: int, cues: str, seeds: int, ablations: bool, tagged: bool, start: str, attention: str
) -> StepRows:
    """T steps of Wang et al. 2019, Alg. 1; with the ablations also what leaves a part out, and iterated PSA.

    Args:
        steps: T.
        networks: among which the budget is divided.
        cues: the seeds, a section of `mine_cues`; random walks keep `cam`, for their affinities and maps are one.
        tagged: a region network starts from the segmenter whose labels it judges, the networks of step 2 and on from
            those of the step before; else all of them anew.
        start: the backbone or classifier that networks start from.
        attention: the maps that `cues/cam` is mined from.
    """
    rows = StepRows()
    for seed in range(seeds):
        s = f"_s{seed}" if seed else ""
        how = {"seed": seed, "networks": networks}
        add_steps = partial(_add_steps, rows, s=s, how=how, steps=steps, cues=cues, start=start, tagged=tagged)
        add_steps("affinity")
        if ablations:
            add_steps("affinity_unmined", mined=False)
            add_steps("affinity_unpaired", paired=False)
            add_steps("affinity_rough", settings="affinity_rough")
            _add_walks(rows, s, how, steps, start, attention)
    return rows


def _add_steps(
    rows: StepRows,
    method: str,
    *,
    s: str,
    how: How,
    steps: int,
    cues: str,
    start: str,
    tagged: bool,
    mined: bool = True,
    paired: bool = True,
    settings: str = "affinity",
) -> None:
    """Steps 1 to T; an ablation takes from the full method what is the same there."""
    labels, first = f"cues/{cues}", f"affinity_1{s}"
    begin = begin_pairwise = start
    for t in range(1, steps + 1):
        name = f"{method}_{t}{s}"
        unary = first if t == 1 else name
        if unary == name:
            rows.runs[name] = {"settings": "affinity", "labels": labels, "start": begin} | how
            rows.esteps[name] = {"settings": "affinity", "segmenter": f"segmenters/{name}", "cues": f"cues/{cues}"}
        labels = f"posteriors/{unary}"
        shown = {"unary": f"posteriors_{unary}", "val": unary}
        if mined:
            if unary == name:
                add_regions(rows, name, labels, f"segmenters/{name}" if tagged else start, how)
            labels = f"regions/{unary}"
            shown["confident"] = f"regions_{unary}"
        if paired:
            network = f"segmenters/{unary}"
            add_propagation(rows, f"{name}_spn", network, labels, begin_pairwise, how, settings=settings)
            add_refinement(rows, name, labels, f"cues/{cues}")
            labels = f"refined/{name}"
            shown |= {"pairwise": f"refined_{name}", "val": f"{name}_spn"}
        rows.chains.setdefault(f"{method}{s}", []).append(shown)
        if tagged:
            begin, begin_pairwise = f"segmenters/{unary}", f"segmenters/{name}_spn"


def add_regions(rows: StepRows, name: str, labels: str, start: str, how: How) -> None:
    """Regions of which a network, trained on `labels`, is sure."""
    rows.regions[name] = {"settings": "affinity", "labels": labels, "start": start} | how


def add_propagation(
    rows: StepRows, name: str, unary: str, labels: str, start: str, how: How, *, settings: str = "affinity"
) -> None:
    """The network `unary` and a spatial propagation trained as one on `labels`."""
    rows.affinities[name] = {"settings": settings, "unary": unary, "labels": labels, "start": start} | how


def add_refinement(rows: StepRows, name: str, labels: str, cues: str) -> None:
    """What the propagation network `<name>_spn`, trained on `labels`, makes of the training images."""
    rows.refinements[name] = {"segmenter": f"segmenters/{name}_spn", "labels": labels, "cues": cues}


def _add_walks(rows: StepRows, s: str, how: How, steps: int, start: str, attention: str) -> None:
    """Iterated PSA: seeds from the last walk's maps, affinities from the seeds, a walk over the maps."""
    labels = "cues/cam"
    for t in range(1, steps + 1):
        name = f"psa_{t}{s}"
        if t > 1:
            rows.cues[name] = {"settings": "cam", "attention": attention}
            labels = f"cues/{name}"
        rows.walks[name] = {"settings": "psa", "labels": labels, "attention": attention, "start": start} | how
        attention = f"walks/{name}"
        rows.chains.setdefault(f"psa{s}", []).append({"pairwise": f"walks_{name}"})
