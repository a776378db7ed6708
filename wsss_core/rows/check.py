"""Rows name only stores that some stage makes and settings that `params.yaml` has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_core.rows.kinds import NOTHING, NOTHING_ELSE, Rows
from wsss_core.stage import InputError, section

CHECKED = (
    *("saliency_nets", "attentions", "cues", "runs", "em_runs", "cue_maps", "crf_searches", "esteps"),
    *("regions", "affinities", "refinements", "walks"),
)
CHECKED_KEYS = (
    *("pairs", "start", "attention", "dataset", "labels", "second"),
    *("segmenter", "unary", "net", "cues", "store"),
)


def check_rows(rows: Rows, params: Mapping[str, Any]) -> None:
    """Refuse rows that name a store no stage makes, or settings that `params.yaml` lacks.

    Raises:
        InputError: names the row, the key and what there is.
    """
    made = {"saliency", "superpixels", "select_easy", *rows["datasets"], *rows["saliency_nets"]}
    made |= {f"{name}/masks" for name in rows["datasets"]}
    folders = {"backbones": "backbones", "attentions": "attention", "cues": "cues", "esteps": "posteriors"}
    folders |= {"regions": "regions", "refinements": "refined", "walks": "walks"}
    for kind, folder in folders.items():
        made |= {f"{folder}/{name}" for name in rows[kind]}
    made |= {f"attention_nets/{name}" for name in rows["attentions"]}
    made |= {f"segmenters/{name}" for name in rows["runs"] | rows["em_runs"] | rows["affinities"]}
    made |= {f"predictions/{name}" for name in rows["segmenters"] | rows["cue_maps"]}
    made |= {f"data/box_labels/{name}" for name in rows["boxed"]} | {f"data/{name}" for name in rows["datasets"]}
    made |= {f"box_labels/{name}" for name in rows["boxed"]} | {NOTHING, NOTHING_ELSE}
    for kind in (*CHECKED, "evaluations"):
        for name, row in rows[kind].items():
            for key in CHECKED_KEYS:
                if key in row and row[key] not in made:
                    near = sorted(store for store in made if store.split("/")[0] == row[key].split("/")[0])
                    raise InputError(
                        f"stages/rows.yaml: {kind}.{name}.{key}: no stage makes {row[key]!r}; "
                        f"there are {', '.join(near or sorted(made))}"
                    )
    kinds = {
        "train_segmenter": "runs",
        "train_em": "em_runs",
        "estep": "esteps",
        "mine_cues": "cues",
        "backbone": "backbones",
        "box_labels": "boxed",
        "train_regions": "regions",
        "mine_regions": "regions",
        "train_affinity": "affinities",
        "train_pixel_features": "walks",
        "walk": "walks",
    }
    for stage, kind in kinds.items():
        for row in rows[kind].values():
            section(params, f"{stage}.{row['settings']}")
    if rows["refinements"]:
        section(params, "refine")
