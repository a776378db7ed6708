"""The wiring rows of iterative affinity learning."""

from __future__ import annotations

from functools import partial

from wsss_core.rows.kinds import How, Kinds
from wsss_core.rows.wiring import Wiring


def affinity_rows(wiring: Wiring, *, attention: str) -> Kinds:
    """T steps of Wang et al. 2019, Alg. 1; with the ablations also what leaves a part out, and iterated PSA.

    Random walks keep the seeds `cam` whatever `affinity_cues` says, for their affinities and maps are one.

    Args:
        wiring: what is asked for.
        attention: the maps that `cues/cam` is mined from.
    """
    networks = [f"affinity_{t}{spn}" for t in range(1, wiring.steps + 1) for spn in ("", "_spn")]
    rows = Kinds(main_runs={"affinity": networks})
    for s, how in wiring.repetitions("affinity"):
        add_steps = partial(_add_steps, rows, wiring, s=s, how=how)
        add_steps("affinity")
        if wiring.ablations:
            add_steps("affinity_unmined", mined=False)
            add_steps("affinity_unpaired", paired=False)
            add_steps("affinity_rough", settings="affinity_rough")
            add_steps("affinity_seeded", seeded=True)
            _add_walks(rows, s, how, wiring, attention)
    return rows


def _add_steps(
    rows: Kinds,
    wiring: Wiring,
    method: str,
    *,
    s: str,
    how: How,
    mined: bool = True,
    paired: bool = True,
    seeded: bool = False,
    settings: str = "affinity",
) -> None:
    """Steps 1 to T; an ablation takes from the full method what is the same there.

    With `seeded`, step 1 is Alg. 1's initialisation: its propagation learns from the seeds, not from regions.
    """
    labels = cues = f"cues/{wiring.affinity_cues}"
    begin = begin_pairwise = start = wiring.online_start()
    first = f"affinity_1{s}"
    for t in range(1, wiring.steps + 1):
        name = f"{method}_{t}{s}"
        unary = first if t == 1 else name
        if unary == name:
            rows.runs[name] = {"settings": "affinity", "labels": labels, "start": begin} | how
            rows.esteps[name] = {"settings": "affinity", "segmenter": f"segmenters/{name}", "cues": cues}
        labels = f"posteriors/{unary}"
        shown = {"unary": f"posteriors_{unary}", "val": unary}
        if seeded and t == 1:
            labels = cues
        elif mined:
            if unary == name:
                add_regions(rows, name, labels, f"segmenters/{name}" if wiring.tagged else start, how)
            labels = f"regions/{unary}"
            shown["confident"] = f"regions_{unary}"
        if paired:
            network = f"segmenters/{unary}"
            add_propagation(rows, f"{name}_spn", network, labels, begin_pairwise, how, settings=settings)
            add_refinement(rows, name, labels, cues)
            labels = f"refined/{name}"
            shown |= {"pairwise": f"refined_{name}", "val": f"{name}_spn"}
        rows.chains.setdefault(f"{method}{s}", []).append(shown)
        if wiring.tagged:
            begin, begin_pairwise = f"segmenters/{unary}", f"segmenters/{name}_spn"


def add_regions(rows: Kinds, name: str, labels: str, start: str, how: How) -> None:
    """Regions of which a network, trained on `labels`, is sure."""
    rows.regions[name] = {"settings": "affinity", "labels": labels, "start": start} | how


def add_propagation(
    rows: Kinds, name: str, unary: str, labels: str, start: str, how: How, *, settings: str = "affinity"
) -> None:
    """The network `unary` and a spatial propagation trained as one on `labels`."""
    rows.affinities[name] = {"settings": settings, "unary": unary, "labels": labels, "start": start} | how


def add_refinement(rows: Kinds, name: str, labels: str, cues: str) -> None:
    """What the propagation network `<name>_spn`, trained on `labels`, makes of the training images."""
    rows.refinements[name] = {"segmenter": f"segmenters/{name}_spn", "labels": labels, "cues": cues}


def _add_walks(rows: Kinds, s: str, how: How, wiring: Wiring, attention: str) -> None:
    """Iterated PSA: affinities from seeds, a walk over the maps, the next seeds from what it made of them."""
    labels, start = "cues/cam", wiring.online_start()
    for t in range(1, wiring.steps + 1):
        name = f"psa_{t}{s}"
        rows.walks[name] = {"settings": "psa", "labels": labels, "attention": attention, "start": start} | how
        attention, labels = f"walks/{name}", f"cues/{name}"
        rows.cues[name] = {"settings": "cam", "attention": attention}
        rows.chains.setdefault(f"psa{s}", []).append({"confident": f"cues_{name}", "pairwise": f"walks_{name}"})
