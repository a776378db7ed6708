"""The rows of mining pixels (Hou et al. 2016): EM, each E-step restricted to the image's tags, and its ablations."""

from __future__ import annotations

from itertools import pairwise

from wsss_core.rows.kinds import How, Kinds
from wsss_core.rows.wiring import Wiring

CUES = "cues/max"

# η of both EM iterations as in Table 4, and Max where it is not the hard loss.
ABLATED_PAIRS = (
    ("hard", "hard"),
    ("max_10", "hard"),
    ("max_10", "max_10"),
    ("relative_05", "hard"),
    ("relative_05", "relative_05"),
    ("max_70", "max_70"),
    ("max_90", "max_90"),
)


def mining_rows(wiring: Wiring) -> Kinds:
    """The initial model and `rounds` EM iterations; with the ablations other η, and EM without mined pixels."""
    rows = Kinds()
    start = f"backbones/{wiring.backbone}"
    chain = [f"mining_{t}" for t in range(wiring.rounds + 1)]
    rows.main_runs["mining pixels"] = chain
    for s, how in wiring.repetitions("mining"):
        _add(rows, f"mining_0{s}", "mining_0", CUES, start, how)
        for before, now in pairwise(chain):
            labels = _add_estep(rows, f"{now}{s}", f"{before}{s}")
            _add(rows, f"{now}{s}", now, labels, f"segmenters/{before}{s}", how)
        if wiring.full:
            _add(rows, f"full{s}", "full", "dataset/masks", start, how | {"networks": 1})
        if wiring.ablations:
            _add_pairs(rows, s, how)
            _add_cold(rows, s, how, f"attention_nets/{wiring.attention}")
    return rows


def _add(rows: Kinds, run: str, settings: str, labels: str, start: str, how: How) -> None:
    rows.runs[run] = {"settings": settings, "labels": labels, "start": start} | how


def _add_estep(rows: Kinds, name: str, segmenter: str) -> str:
    """The store of its posteriors."""
    rows.esteps[name] = {"settings": "class_restricted", "segmenter": f"segmenters/{segmenter}", "cues": CUES}
    return f"posteriors/{name}"


def _add_pairs(rows: Kinds, s: str, how: How) -> None:
    """Both iterations at the heuristics and η of `ABLATED_PAIRS`."""
    for first, second in ABLATED_PAIRS:
        once, twice = f"em1_{first}{s}", f"em2_{first}_{second}{s}"
        _add(rows, once, first, f"posteriors/mining_1{s}", f"segmenters/mining_0{s}", how)
        _add(rows, twice, second, _add_estep(rows, once, once), f"segmenters/{once}", how)


def _add_cold(rows: Kinds, s: str, how: How, classifier: str) -> None:
    """EM from a classifier that has seen no mined pixel."""
    _add(rows, f"cold_0{s}", "untrained", CUES, classifier, how)
    for t in (1, 2):
        before, now = f"cold_{t - 1}{s}", f"cold_{t}{s}"
        _add(rows, now, "relative_05", _add_estep(rows, now, before), f"segmenters/{before}", how)
