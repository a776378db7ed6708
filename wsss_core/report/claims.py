"""Claims of the papers against the figures of this project: holds, does not hold, not decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from wsss_core.report.comparison import FAILS, HOLDS, MISSING, OPEN, Compared, Comparison, compare, filled
from wsss_core.report.figures import Figures

LISTED = 3  # missing figures that a reason names


@dataclass(frozen=True)
class Claim:
    """A statement, the paper's figures for it (empty where it gives none), and what it expects.

    All comparisons have to hold; with `some` one of them is enough.
    """

    id: str
    statement: str
    paper: str
    comparisons: tuple[Comparison, ...]
    some: bool = False


@dataclass(frozen=True)
class Judged:
    """A claim and its verdict; `reason` says what keeps it from being decided."""

    claim: Claim
    compared: list[Compared]
    verdict: str
    reason: str


def judge(claims: Sequence[Claim], figures: Figures) -> list[Judged]:
    """Compare what every claim mentions and give its verdict."""
    return [_judge(claim, figures) for claim in claims]


def as_json(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """What `claims.json` holds: figures in percent, rounded to a thousandth of a point."""
    return [
        {
            **{key: getattr(j.claim, key) for key in ("id", "statement", "paper")},
            "verdict": j.verdict,
            "reason": j.reason,
            "ours": [_rounded(asdict(compared)) for compared in j.compared],
        }
        for j in judged
    ]


def _judge(claim: Claim, figures: Figures) -> Judged:
    compared = [compare(each, figures) for comparison in claim.comparisons for each in filled(comparison, figures)]
    verdicts = {each.verdict for each in compared}
    enough, others = (HOLDS, FAILS) if claim.some else (FAILS, HOLDS)
    verdict = enough if enough in verdicts else others if verdicts == {others} else OPEN
    return Judged(claim, compared, verdict, _reason(compared) if verdict == OPEN else "")


def _reason(compared: list[Compared]) -> str:
    reasons = dict.fromkeys(each.reason for each in compared if each.reason)
    missing = list(dict.fromkeys(name for each in compared for name, found in each.values.items() if not found))
    listed = ", ".join(missing[:LISTED]) + f" and {len(missing) - LISTED} more" * (len(missing) > LISTED)
    return "; ".join(f"{MISSING}: {listed}" if reason == MISSING else reason for reason in reasons)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 3) if isinstance(value, float) else value
