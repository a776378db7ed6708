"""The slider under each picture of the report: cues and masks in the order of the graph, of seed 0.

Of the runs that only the ablations have, their tables and claims suffice; what they mine and walk is shown.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from itertools import count, takewhile
from typing import Any

Panels = list[dict[str, str]]

FOLDERS = {"esteps": "posteriors", "regions": "regions", "refinements": "refined", "cues": "cues", "walks": "walks"}


def gallery_panels(rows: Mapping[str, Any], cues: Iterable[str]) -> Panels:
    """Title and store of every panel; an artifact that holds no image of a split shows nothing there.

    Args:
        rows: all kinds of rows but this one.
        cues: sections of `mine_cues` that are mined.
    """
    panels = [_panel("saliency", "saliency")]
    panels += [_panel(f"attention {name}", f"attention/{name}") for name in rows["attentions"]]
    panels += [_panel(f"cues {name}", f"cues/{name}") for name in cues]
    for t, run in enumerate(_numbered("mining", rows["runs"])):
        title = f"EM {t}" if t else "initial model"
        panels += _made("esteps", run, f"{title} posterior", rows)
        panels.append(_panel(title, f"predictions/{run}"))
    panels += _predicted(rows, "crf_none", "crf_mean", "crf_exp")
    for t, run in enumerate(_numbered("dcsp", rows["runs"])):
        panels += _made("esteps", run, f"DCSP adapted cues {t}", rows)
        panels.append(_panel(f"DCSP adapted {t}" if t else "DCSP", f"predictions/{run}"))
    panels += [_panel(f"boxes {name}", f"box_labels/{name}") for name in ("rect", "seg") if name in rows["boxed"]]
    panels += _predicted(rows, "em_fixed", "em_adapt", "box_rect", "box_em_fixed", "box_seg")
    for t, run in enumerate(_numbered("affinity", rows["runs"], first=1), start=1):
        panels += _made("esteps", run, f"unary {t}", rows)
        panels.append(_panel(f"unary {t}", f"predictions/{run}"))
        panels += _made("regions", run, f"confident {t}", rows)
        panels += _made("refinements", run, f"refined {t}", rows)
        panels.append(_panel(f"refined {t}", f"predictions/{run}_spn"))
    for t, walk in enumerate(_numbered("psa", rows["walks"], first=1), start=1):
        panels += _made("walks", walk, f"PSA {t}", rows)
        panels += _made("cues", walk, f"PSA seeds {t}", rows)
    for networks in rows["combined"].values():
        for network in networks:
            panels += _combined(network["run"], rows)
    return panels


def _combined(run: str, rows: Mapping[str, Any]) -> Panels:
    """A network of a combination: the posterior it learnt from, its masks, its regions or what it refined."""
    return [
        *_made("esteps", run, f"{run} posterior", rows),
        *_made("esteps", f"{run}_own", run, rows),
        *(_made("refinements", run.removesuffix("_spn"), run, rows) if run.endswith("_spn") else ()),
        _panel(run, f"predictions/{run}"),
        *_made("regions", run, f"{run} confident", rows),
    ]


def _made(kind: str, name: str, title: str, rows: Mapping[str, Any]) -> Panels:
    """The panel of an artifact, if it is among the rows of its kind."""
    return [_panel(title, f"{FOLDERS[kind]}/{name}")] if name in rows[kind] else []


def _predicted(rows: Mapping[str, Any], *names: str) -> Panels:
    return [_panel(name, f"predictions/{name}") for name in names if name in rows["em_runs"]]


def _numbered(name: str, among: Container[str], *, first: int = 0) -> Iterable[str]:
    """`<name>_0`, `<name>_1`, … as far as there are."""
    return takewhile(among.__contains__, (f"{name}_{t}" for t in count(first)))


def _panel(title: str, store: str) -> dict[str, str]:
    return {"title": title, "store": store}
