"""The sections of `params.yaml` that the ablation rows need, made from the sections they vary."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any

from wsss_core.rows.crf import SWEPT_WEIGHTS
from wsss_core.rows.dcsp import VARIED_CUES
from wsss_core.rows.em import SWEPT_CENTERS, SWEPT_GAPS
from wsss_core.stage import section

VARIED = {
    "crf": ("train_em.crf_mean", "train_em.crf_exp"),
    "em": ("train_em.em_fixed", "train_em.em_adapt", "box_labels.seg"),
    "affinity": ("train_affinity.affinity",),
}


def add_variants(params: Any, methods: Collection[str]) -> None:
    """Give the ablations of these methods the sections they lack; what is there stays.

    Raises:
        InputError: names a section that would be varied and is not there.
    """
    for name in (name for method in methods for name in VARIED.get(method, ())):
        section(params, name)
    if "crf" in methods:
        _vary_crf(params["train_em"])
    if "em" in methods:
        _vary_em(params)
    if "dcsp" in methods:
        _vary_dcsp(params)
    if "affinity" in methods:
        networks = params["train_affinity"]
        networks.setdefault("affinity_rough", _changed(networks["affinity"], smoothness=0.0))
        params.setdefault("train_pixel_features", {"psa": {"radius": 5}})
        params.setdefault("walk", {"psa": {"beta": 8, "log2_steps": 8, "background": 16}})
    if "combined" in methods:
        _vary_combinations(params["combinations"], params["train_segmenter"])


def _vary_crf(runs: Any) -> None:
    if "crf_joint" not in runs:
        runs["crf_joint"] = copy.deepcopy(runs["crf_exp"])
        _inside(runs["crf_joint"], "loss", "neighbourhood")["normalised"] = "joint"
    for form in ("mean", "exp"):
        for weight in SWEPT_WEIGHTS:
            if f"crf_{form}_{weight}" not in runs:
                runs[f"crf_{form}_{weight}"] = copy.deepcopy(runs[f"crf_{form}"])
                _inside(runs[f"crf_{form}_{weight}"], "loss")["neighbourhood_weight"] = weight / 100


def _vary_dcsp(params: Any) -> None:
    cue, fcan = section(params, "mine_cues.dcsp"), section(params, "train_attention.fcan")
    joint = section(params, "train_segmenter.dcsp")
    steps = len(params["saliency"].get("thresholds", ())) + 1
    for name, change in ({f"s{step}": {"step": step} for step in range(1, steps)} | VARIED_CUES).items():
        params["mine_cues"].setdefault(f"dcsp_{name}", _changed(cue, **change))
    # A maximum sends its gradient to one node per class: at ten times the rate, which a mean bears, losses became NaN.
    fcan_rate, joint_rate = (
        _changed(each.get("training", {}), head_lr_factor=2, head_bias_lr_factor=4) for each in (fcan, joint)
    )
    params["train_attention"].setdefault("gmp", _changed(fcan, pool="gmp", training=fcan_rate))
    params["train_segmenter"].setdefault("dcsp_gmp", _changed(joint, training=joint_rate))
    params["attention"].setdefault("gmp", copy.deepcopy(section(params, "attention.fcan")))
    scales = list(section(params, "predict").get("scales", [1.0]))  # as the networks that it is compared with
    params.setdefault("cue_map", {"combine": "arithmetic", "threshold": 0.4, "scales": scales})
    separate = _changed(joint, head=fcan.get("head", "largefov"), width=fcan.get("width"))
    separate.pop("joint", None)
    params["train_segmenter"].setdefault("dcsp_separate", separate)


def _vary_combinations(combinations: Any, settings: Any) -> None:
    first = next(iter((combinations or {}).values()), None)
    loss = first.get("settings") if isinstance(first, Mapping) else None
    for part, weight in (("plain", "neighbourhood_weight"), ("ce", "iou_gain")):
        if settings.get(loss, {}).get(weight):
            settings.setdefault(f"{loss}_{part}", _changed(settings[loss], **{weight: 0.0}))


def _vary_em(params: Any) -> None:
    runs, box_labels = params["train_em"], params["box_labels"]
    for gap in SWEPT_GAPS:
        if f"em_fixed_gap_{gap}" not in runs:
            runs[f"em_fixed_gap_{gap}"] = copy.deepcopy(runs["em_fixed"])
            estep = _inside(runs[f"em_fixed_gap_{gap}"], "loss", "estep")
            estep["foreground_boost"] = estep.get("background_boost", 3) + gap
    for center in SWEPT_CENTERS:
        if f"seg_{center}" not in box_labels:
            box_labels[f"seg_{center}"] = _changed(box_labels["seg"], center=center / 100)
    # Of the heads only this one has a field of view to choose.
    head = {} if params["budget"]["head"] == "largefov" else {"head": "largefov", "width": 256}
    for name, pixels in (("field_small", 128), ("field_large", 224)):
        if name not in runs:
            runs[name] = _changed(runs["em_adapt"], **head, field_of_view=pixels)


def _changed(settings: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy of a section with other values, whole: what two sections shared would be an anchor in the file."""
    return {**copy.deepcopy(dict(settings)), **changes}


def _inside(settings: Any, *keys: str) -> Any:
    for key in keys:
        settings = settings.setdefault(key, {})
    return settings
