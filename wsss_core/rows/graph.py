"""All rows of a project: those of its methods, and what every project has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wsss_core.rows.affinity import affinity_rows
from wsss_core.rows.check import check_rows
from wsss_core.rows.combinations import Chain, chains_of, combined_rows
from wsss_core.rows.crf import crf_rows
from wsss_core.rows.cues import attention_of, cue_rows, is_wanted
from wsss_core.rows.dcsp import dcsp_rows
from wsss_core.rows.em import em_rows
from wsss_core.rows.kinds import NOTHING, NOTHING_AT_ALL, NOTHING_ELSE, NOTHING_LEFT, NOTHING_MORE, Kinds, Rows
from wsss_core.rows.mining import mining_rows
from wsss_core.rows.panels import gallery_panels
from wsss_core.rows.wiring import Wiring
from wsss_core.stage import InputError, bind, section


def make_rows(params: Mapping[str, Any]) -> Rows:
    """All rows for the given parameters, checked.

    Raises:
        InputError: `params.yaml` names a section or a store that does not exist.
    """
    wiring = bind(Wiring, section(params, "rows"), "rows")
    chains = chains_of(params, wiring) if "combined" in wiring.methods else {}
    gmp = "dcsp" in wiring.methods and wiring.ablations
    attentions = [name for name in section(params, "attention") if gmp or name != "gmp"]
    if wiring.attention not in attentions:
        raise InputError(f"params.yaml: rows.attention: {wiring.attention!r} is none of {', '.join(attentions)}")
    asked = {chain.cues for chain in chains.values()}
    mined = [cue for cue in section(params, "mine_cues") if cue in asked or is_wanted(cue, wiring)]
    made = Kinds(cues=cue_rows(mined, attentions, wiring)) | _methods(params, wiring, chains, mined, attentions)
    start = f"backbones/{wiring.backbone}"
    backbones = {wiring.backbone, wiring.encoder or wiring.backbone} if "crf" in wiring.methods else {wiring.backbone}
    rows: Rows = {
        "scenes": {"scenes": {"settings": "make_scenes"}} if "make_scenes" in params else {},
        "datasets": {
            name: _sources(section(params, f"ingest.{name}"), name)
            for name in section(params, "ingest")
            if (wiring.trains_detector or name != "saliency_pairs") and (name != "second" or "em" in wiring.methods)
        },
        "backbones": {name: _backbone(params, name) for name in sorted(backbones)},
        "saliency_nets": (
            {"saliency_net": {"pairs": "saliency_pairs", "start": start}} if wiring.trains_detector else {}
        ),
        "wiring": {
            "detector": wiring.detector,
            "attention": f"attention/{wiring.attention}",
            "crf_search": "data/crf_search" if made.crf_searches else NOTHING,
            "box_labels": "data/box_labels" if made.boxed else NOTHING_ELSE,
            "regions": "data/regions" if made.regions else NOTHING_AT_ALL,
            "refined": "data/refined" if made.refinements else NOTHING_MORE,
            "walks": "data/walks" if made.walks else NOTHING_LEFT,
        },
        "attentions": {name: {"start": start} for name in attentions},
        **vars(made),
        "segmenters": made.segmenters,
        "evaluations": _evaluations(attentions, made),
        "plotted": [name for name in made.segmenters if made.runs.get(name, {}).get("settings") != "untrained"],
    }
    rows["panels"] = gallery_panels(rows, mined)
    check_rows(rows, params)
    return rows


def _methods(
    params: Mapping[str, Any],
    wiring: Wiring,
    chains: Mapping[str, Chain],
    mined: Iterable[str],
    attentions: Iterable[str],
) -> Kinds:
    """The rows of the methods that are asked for."""
    rows = mining_rows(wiring)
    boxes, two_sets = params.get("box_labels") or {}, "second" in params["ingest"]
    if "crf" in wiring.methods:
        rows |= crf_rows(wiring)
    if "em" in wiring.methods:
        rows |= em_rows(wiring, box_labels=section(params, "box_labels"), two_sets=two_sets)
    if "dcsp" in wiring.methods:
        rows |= dcsp_rows(wiring, variants=[cue for cue in mined if cue.startswith("dcsp_")])
    if "affinity" in wiring.methods:
        if wiring.affinity_cues not in mined:
            raise InputError(f"params.yaml: rows.affinity_cues: {wiring.affinity_cues!r} is none of {', '.join(mined)}")
        rows |= affinity_rows(wiring, attention=attention_of("cam", attentions, wiring))
    if "combined" in wiring.methods:
        combined = combined_rows(chains, wiring)
        taken = rows.runs | crf_rows(wiring).em_runs | em_rows(wiring, box_labels=boxes, two_sets=True).em_runs
        if double := sorted(combined.runs.keys() & taken.keys()):
            raise InputError(f"params.yaml: combinations: there is a run {double[0]!r} already; choose another name")
        rows |= combined
    return rows


def _backbone(params: Mapping[str, Any], name: str) -> dict[str, str]:
    """The stage depends on its file of weights, where it has one."""
    return {"settings": name, "weights": section(params, f"backbone.{name}").get("weights") or NOTHING}


def _sources(settings: Mapping[str, Any], name: str) -> dict[str, str]:
    sources = section(settings, "sources")
    roots = [section(sources, source).get("root") for source in sources]
    if not 1 <= len(roots) <= 2 or not all(isinstance(root, str) for root in roots):
        raise InputError(f"params.yaml: ingest.{name}.sources: give one or two sources, each with a root")
    return {"main": str(roots[0]), "more": str(roots[1]) if len(roots) == 2 else NOTHING}


def _evaluations(attentions: Iterable[str], made: Kinds) -> Rows:
    """What is compared with the truth, and how."""
    rows = {"saliency": {"kind": "erasing", "store": "saliency"}}
    rows |= {f"attention_{name}": {"kind": "curves", "store": f"attention/{name}"} for name in attentions}
    labels = {f"cues_{name}": f"cues/{name}" for name in made.cues}
    labels |= {f"box_{name}_labels": f"box_labels/{name}" for name in made.boxed}
    labels |= {f"posteriors_{name}": f"posteriors/{name}" for name in made.esteps}
    labels |= {f"regions_{name}": f"regions/{name}" for name in made.regions}
    labels |= {f"refined_{name}": f"refined/{name}" for name in made.refinements}
    labels |= {f"walks_{name}": f"walks/{name}" for name in made.walks}
    rows |= {name: {"kind": "labels", "store": store} for name, store in labels.items()}
    runs = made.segmenters | made.cue_maps
    return rows | {name: {"kind": "runs", "store": f"predictions/{name}"} for name in runs}
