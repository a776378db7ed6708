"""The figures that claims compare: a number per seed, under a short name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from wsss_core.report.results import Evaluation
from wsss_core.report.seeds import without_seed

SPLITS = {"runs": "val", "labels": "train"}
SECONDS = "seconds"
LAST_STEP = 5  # the T of the paper on affinity; further steps only serve the claim on its plateau
ONCE = ("cue_map", "cues_dcsp")  # what the graph makes once, for all seeds


class Figures:
    """Every figure by name: `em_adapt`, `cues_dcsp:recall`, `affinity/pairwise/2:energy`, `crf_exp:seconds`.

    The part before the colon is an evaluation or `chain/part/step`, the part after it the measure, mIoU if left out;
    `foreground` is the mean IoU of all classes but background. Runs are scored on val, labels on train; all is in
    percent but the seconds.

    Args:
        evaluations: of all seeds.
        chains, em_runs: the wiring rows, the latter without their names.
        seconds: of whole trainings, by run.

    Attributes:
        masks, second: numbers of images with masks, of the data set and of a second one, that the runs `strong_…` and
            `cross_strong_…` learn from, ascending.
        steps: number of steps of affinity, at most 5.
        timed: whether the seconds of trainings were given.
    """

    def __init__(
        self,
        evaluations: Sequence[Evaluation],
        chains: Mapping[str, Sequence[Mapping[str, str]]],
        em_runs: Iterable[Mapping[str, Any]] = (),
        *,
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        by_name = {e.name: e.splits[SPLITS[e.kind]] for e in evaluations if SPLITS.get(e.kind) in e.splits}
        named = list(by_name.items())
        for chain, steps in chains.items():
            method, seed = without_seed(chain)
            for t, parts in enumerate(steps, start=1):
                named += [
                    (f"{method}/{part}/{t}" + f"_s{seed}" * (seed > 0), by_name[name])
                    for part, name in parts.items()
                    if name in by_name
                ]
        self._scores: dict[str, dict[int, Mapping[str, Any]]] = {}
        for name, scores in named:
            base, seed = without_seed(name)
            self._scores.setdefault(base, {})[seed] = scores
        self._seconds: dict[str, dict[int, float]] = {}
        self.timed = seconds is not None
        for name, value in (seconds or {}).items():
            base, seed = without_seed(name)
            self._seconds.setdefault(base, {})[seed] = value
        rows = list(em_runs)
        self.masks = _numbers(rows, "strong_only", "strong")
        self.second = _numbers(rows, "cross_strong", "second_strong")
        self.steps = min(len(chains.get("affinity", ())), LAST_STEP)

    def by_seed(self, figure: str) -> dict[int, float]:
        """The figure of every seed that has it, in percent."""
        name, _, measure = figure.partition(":")
        if measure == SECONDS:
            return self._seconds.get(name, {})
        values = {seed: _value(scores, measure or "miou") for seed, scores in self._scores.get(name, {}).items()}
        return {seed: 100 * value for seed, value in sorted(values.items()) if value is not None}


def made_once(figure: str) -> bool:
    """Whether the graph has this figure once for all seeds."""
    return figure.startswith(ONCE)


def _numbers(rows: Sequence[Mapping[str, Any]], settings: str, key: str) -> list[int]:
    """The numbers that rows of these settings have there, ascending; `all` is none."""
    return sorted({row[key] for row in rows if row["settings"] == settings and row[key] != "all" and row[key]})


def _value(scores: Mapping[str, Any], measure: str) -> float | None:
    if measure == "foreground":
        _, *objects = scores["per_class"].values()
        found = [iou for iou in objects if iou is not None]
        return fmean(found) if found else None
    return scores.get(measure)
