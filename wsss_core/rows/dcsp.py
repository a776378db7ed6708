"""The rows of DCSP (Chaudhry et al. 2017): joint training on mined cues, then on cues that it adapted (§4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wsss_core.rows.kinds import How, Kinds
from wsss_core.rows.wiring import Wiring

# What varies of the cues beside the saliency step: how saliency and attention are joined, γ, and the pooling.
VARIED_CUES: dict[str, dict[str, Any]] = {
    "arithmetic": {"combine": "arithmetic"},
    "geometric": {"combine": "geometric"},
    "max": {"combine": "max"},
    **{f"gamma_{percent}": {"threshold": percent / 100} for percent in (20, 30, 50, 60)},
    "gmp": {},
}


def dcsp_rows(wiring: Wiring, *, variants: Iterable[str]) -> Kinds:
    """The main chain; with the ablations one per variant, no adapting, no joint training, and no segmenter at all.

    Args:
        variants: other sections of `mine_cues` to start from.
    """
    rows = Kinds(main_runs={"DCSP": [f"dcsp_{t}" for t in range(wiring.adapts + 1)]})
    fcan, cues = "attention_nets/fcan", "cues/dcsp"
    if wiring.ablations:
        rows.cue_maps["cue_map"] = {"net": fcan}
    for s, how in wiring.repetitions("dcsp"):
        _add_chain(rows, "dcsp", cues, fcan, s, how, adapts=max(wiring.adapts, 2 if wiring.ablations else 1))
        for cue in variants:
            maximum = cue == "dcsp_gmp"
            start, settings = ("attention_nets/gmp", "dcsp_gmp") if maximum else (fcan, "dcsp")
            _add_chain(rows, cue, f"cues/{cue}", start, s, how, settings=settings)
        if wiring.ablations:
            backbone = f"backbones/{wiring.backbone}"
            _add_chain(rows, "dcsp_separate", cues, backbone, s, how, settings="dcsp_separate")
            again = {"settings": "dcsp", "labels": cues, "start": f"segmenters/dcsp_0{s}"}
            rows.runs[f"dcsp_unadapted_1{s}"] = again | how
    return rows


def _add_chain(
    rows: Kinds, name: str, cues: str, start: str, s: str, how: How, *, adapts: int = 1, settings: str = "dcsp"
) -> None:
    rows.runs[f"{name}_0{s}"] = {"settings": settings, "labels": cues, "start": start} | how
    for t in range(1, adapts + 1):
        before, now = f"segmenters/{name}_{t - 1}{s}", f"{name}_{t}{s}"
        rows.esteps[now] = {"settings": "adapt", "segmenter": before, "cues": cues}
        rows.runs[now] = {"settings": settings, "labels": f"posteriors/{now}", "start": before} | how
