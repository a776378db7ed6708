"""Runs that differ in nothing but their seed: NAME, NAME_s1 and NAME_s2 are one figure with its spread."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import fmean, stdev

# cues_dcsp_s1 is a saliency step, dcsp_s1_0 a run on it; dcsp_s1_0_s1 is that run with seed 1.
REPEATED = re.compile(r"(?P<before>(?!cues_).+)_s(?P<seed>\d+)(?P<after>(?:_spn)?(?:\+crf)?)")


@dataclass(frozen=True)
class Spread:
    """A figure in [0, 1] of every seed, or the difference of two; at least one seed."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return fmean(self.values)

    @property
    def text(self) -> str:
        """In percent: `56.9 ± 0.4`, the sample's standard deviation, or `56.9` where there is one seed."""
        return f"{100 * self.mean:.1f}{self._around}"

    @property
    def signed(self) -> str:
        """The same of a difference, in points: `+1.4 ± 0.4`."""
        return f"{100 * self.mean:+.1f}{self._around}"

    @property
    def seeds(self) -> str:
        return "one seed" if len(self.values) == 1 else f"{len(self.values)} seeds"

    @property
    def _around(self) -> str:
        return f" ± {100 * stdev(self.values):.1f}" if len(self.values) > 1 else ""


def without_seed(name: str) -> tuple[str, int]:
    """A run's name apart from its seed: `affinity_1_s2_spn+crf` → (`affinity_1_spn+crf`, 2); 0 where it names none."""
    found = REPEATED.fullmatch(name)
    return (found["before"] + found["after"], int(found["seed"])) if found else (name, 0)
