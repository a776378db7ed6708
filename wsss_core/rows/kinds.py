"""Rows by kind, as `dvc.yaml` iterates over them; every method makes some of each."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

Rows = dict[str, Any]  # a row by its name, or a kind of rows by its name
How = dict[str, int]  # the seed of a training, and the number of networks that share the budget

# DVC wants every dependency slot filled with something that exists, and no two with the same.
NOTHING, NOTHING_ELSE, NOTHING_AT_ALL = "data/README.md", "reports/README.md", "stages/__init__.py"
NOTHING_MORE, NOTHING_LEFT = "wsss_core/__init__.py", "wsss_core/cli/__init__.py"


@dataclass(frozen=True)
class Kinds:
    """Rows of one method, or with `|` of several.

    For the report `chains` names what was evaluated of every step of a method, `combined` the runs of every
    combination and what each of them does, `main_runs` the networks of a method's main run in the order of training.
    """

    cues: Rows = field(default_factory=dict)
    runs: Rows = field(default_factory=dict)
    em_runs: Rows = field(default_factory=dict)
    cue_maps: Rows = field(default_factory=dict)
    boxed: Rows = field(default_factory=dict)  # not box_labels: DVC merges rows and params.yaml into one set of names
    crf_searches: Rows = field(default_factory=dict)
    esteps: Rows = field(default_factory=dict)
    regions: Rows = field(default_factory=dict)
    affinities: Rows = field(default_factory=dict)
    refinements: Rows = field(default_factory=dict)
    walks: Rows = field(default_factory=dict)
    chains: Rows = field(default_factory=dict)
    combined: Rows = field(default_factory=dict)
    main_runs: dict[str, list[str]] = field(default_factory=dict)

    def __or__(self, other: Kinds) -> Kinds:
        return Kinds(**{kind.name: getattr(self, kind.name) | getattr(other, kind.name) for kind in fields(self)})

    @property
    def segmenters(self) -> Rows:
        """Networks that label photos of the data set, with their seeds."""
        trained = self.runs | self.em_runs | self.affinities
        return {name: {"seed": run["seed"]} for name, run in trained.items() if run.get("dataset") != "second"}
