"""Writing `params.yaml` from a preset, and `stages/rows.yaml` from `params.yaml`."""

from __future__ import annotations

import copy
import hashlib
import io
import os
import shutil
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from wsss_core.cli.sources import describe_easy, describe_source
from wsss_core.cli.variants import add_variants
from wsss_core.rows.graph import make_rows
from wsss_core.rows.kinds import Rows
from wsss_core.rows.wiring import Wiring
from wsss_core.stage import InputError, bind, load_params, section

PRESETS = ("demo", "tour", "laptop", "best", "voc12")
OVER = {"best": "laptop", "tour": "demo"}  # what such a preset leaves out it has from the other
EMBEDDED = ("demo", "tour")  # on scenes that the graph makes itself
PARAMS = Path("params.yaml")
ROWS = Path("stages/rows.yaml")
MADE_BY = "# Made by `wsss rows` from the section `rows` of params.yaml; edit that, not this."
UNTOUCHED = "# params.yaml as wsss wrote it, without an edit: "  # and its digest
# Folders whose content is one folder or file per row; what no row makes any more is deleted.
PER_ROW = {
    "data/attention": ("attentions",),
    "data/attention_nets": ("attentions",),
    "data/cues": ("cues",),
    "data/segmenters": ("runs", "em_runs", "affinities"),
    "data/predictions": ("segmenters", "cue_maps"),
    "data/crf_search": ("crf_searches",),
    "data/box_labels": ("boxed",),
    "data/posteriors": ("esteps",),
    "data/region_nets": ("regions",),
    "data/regions": ("regions",),
    "data/refined": ("refinements",),
    "data/pixel_feature_nets": ("walks",),
    "data/walks": ("walks",),
    "reports/curves": ("evaluations",),
    "reports/erasing": ("evaluations",),
    "reports/labels": ("evaluations",),
    "reports/runs": ("evaluations",),
}

_yaml = YAML()  # keeps comments and the order of keys
_yaml.width = 100


def init_project(
    preset: str,
    *,
    root: Path | None = None,
    easy: Path | None = None,
    saliency_pairs: Path | None = None,
    detector: Path | None = None,
    second: Path | None = None,
    classes: list[str] | None = None,
    options: Mapping[str, Any] | None = None,
    force: bool = False,
) -> list[Path]:
    """Write `params.yaml` and `stages/rows.yaml` in the working directory.

    Returns:
        Outputs of rows that are gone, which were deleted.

    Raises:
        InputError: unknown preset, missing folder, not a project, or an edited `params.yaml` without `force`.
    """
    if preset not in PRESETS:
        raise InputError(f"no preset {preset!r}; there are {', '.join(PRESETS)}")
    if not Path("dvc.yaml").is_file():
        raise InputError(f"{Path.cwd()}: no dvc.yaml here; change to the project's root")
    if PARAMS.exists() and not force and not _untouched():
        raise InputError(f"params.yaml: was edited; commit or copy it, then `wsss init {preset} --force`")
    for option, path in (
        ("root", root),
        ("easy", easy),
        ("saliency-pairs", saliency_pairs),
        ("detector", detector),
        ("second", second),
    ):
        if path is not None and not path.exists():
            raise InputError(f"--{option} {path}: no such file or folder")
    if root is None and (preset not in EMBEDDED or easy or saliency_pairs or detector):
        raise InputError(f"{preset}: needs --root PATH, the folder of the data set")
    if detector and saliency_pairs:
        raise InputError("--detector and --saliency-pairs: give one; a ready-made detector is not trained")
    params = load_preset(preset)
    if root is not None:
        params.pop("make_scenes", None)
        _put_sources(params, root, easy, saliency_pairs, detector)
    if second is not None:
        source = describe_source(second, lone_split="train")
        params["ingest"]["second"] = {"sources": {"main": source}}
        for each in (*params["ingest"]["dataset"]["sources"].values(), source):
            if each["layout"] == "coco":  # classes that both have must have one name
                each["classes_map"] = "voc_names"
    if classes:
        params["ingest"]["dataset"]["classes"] = classes
    _put_options(params, options or {})
    if second is not None and "em" not in params["rows"].get("methods", ()):
        raise InputError("--second: a second data set is for the method em; add it to --methods")
    return _write_both(params, untouched=True)


def write_rows(options: Mapping[str, Any]) -> list[Path]:
    """Write `stages/rows.yaml` from `params.yaml`, first putting the given options into its section `rows`.

    A round beyond the last one with settings of its own starts from a copy of the settings before it.

    Returns:
        Outputs of rows that are gone, which were deleted.
    """
    for name in ("rows", "budget", "ingest", "saliency"):
        section(load_params(), name)
    untouched = _untouched()
    params = _yaml.load(PARAMS.read_text(encoding="utf-8"))
    _put_options(params, options)
    return _write_both(params, untouched=untouched)


def _put_options(params: Any, options: Mapping[str, Any]) -> None:
    """Put what a command was told into the section `rows`."""
    given = {key: value for key, value in options.items() if value is not None}
    params["rows"].update(given)
    methods = bind(Wiring, section(params, "rows"), "rows").methods
    for key, method in (("strong", "em"), ("steps", "affinity")):
        if key in given and method not in methods:
            raise InputError(f"--{key}: is for the method {method}, which is not among --methods")


def _write_both(params: Any, *, untouched: bool) -> list[Path]:
    """Write both files; with `untouched` also that nobody's edit is in `params.yaml`."""
    _add_settings(params)
    rows = make_rows(params)
    text = io.StringIO()
    _yaml.dump(params, text)
    _replace(PARAMS, text.getvalue())
    notes = [MADE_BY, UNTOUCHED + _digest()] if untouched else [MADE_BY]
    plain = YAML(typ="safe")
    plain.default_flow_style = False
    plain.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    text = io.StringIO()
    plain.dump(rows, text)
    _replace(ROWS, "".join(f"{note}\n" for note in notes) + text.getvalue())
    return _remove_orphans(rows)


def _add_settings(params: Any) -> None:
    """Give the rows that are asked for the settings they lack; what is there stays."""
    params["budget"].setdefault("crop", None)  # stages depend on it by name
    wiring, settings = bind(Wiring, section(params, "rows"), "rows"), params.get("train_segmenter") or {}
    methods = wiring.methods
    for t in range(2, wiring.rounds + 1):
        if f"mining_{t}" not in settings and f"mining_{t - 1}" in settings:
            settings[f"mining_{t}"] = copy.deepcopy(settings[f"mining_{t - 1}"])
    if wiring.ablations:
        for name, ablation in _yaml.load(_preset_text("ablations")).items():
            settings.setdefault(name, ablation)
    # A method's settings are put in the first time; what a person takes out later stays out.
    for method, mark in (
        ("crf", "train_em.crf_exp"),
        ("em", "box_labels"),
        ("dcsp", "estep.adapt"),
        ("affinity", "refine"),
        ("affinity", "train_segmenter.affinity"),
        ("combined", "combinations"),
        ("combined", "refine"),
    ):
        if method in methods and not _has(params, mark):
            _lay_under(params, method)
    if {"crf", "em", "dcsp"} & set(methods) and "search_crf" not in params:
        _lay_under(params, "dense_crf")
    if "em" in methods and "second" in params["ingest"] and "cross" not in params["train_em"]:
        _lay_under(params, "second")
    if wiring.ablations:
        add_variants(params, methods)


def _has(params: Any, name: str) -> bool:
    stage, _, key = name.partition(".")
    return stage in params and (not key or key in params[stage])


def _lay_under(params: Any, preset: str) -> None:
    """Give `params` what it lacks of a preset's sections."""
    for stage, section_ in _yaml.load(_preset_text(preset)).items():
        there = params.get(stage) or {}
        params[stage] = there
        for name, values in section_.items():
            there.setdefault(name, values)


def _put_sources(
    params: Any, root: Path, easy: Path | None, saliency_pairs: Path | None, detector: Path | None
) -> None:
    """Point the preset at the user's folders, as they are."""
    sources = {"main": describe_source(root, lone_split="train")}
    if easy is not None:
        sources["easy"] = describe_easy(easy)
    params["ingest"]["dataset"]["sources"] = sources
    if detector is not None:
        params["rows"]["detector"] = str(detector)
        params["ingest"].pop("saliency_pairs", None)
        if detector.is_dir():
            params["saliency"]["thresholds"] = []
    elif saliency_pairs is not None:
        params["ingest"]["saliency_pairs"]["sources"]["pairs"]["root"] = str(saliency_pairs)
    else:
        raise InputError(
            "saliency needs a detector: --saliency-pairs PATH (photos with class-agnostic masks, to train one) "
            "or --detector PATH (a folder of ready-made maps, or an .onnx file)"
        )


def _untouched() -> bool:
    """Whether params.yaml is as `wsss` wrote it, and nobody had edited it before that."""
    return ROWS.is_file() and UNTOUCHED + _digest() in ROWS.read_text(encoding="utf-8").splitlines()[:2]


def _digest() -> str:
    return hashlib.sha256(PARAMS.read_bytes()).hexdigest()[:16]


def load_preset(preset: str) -> Any:
    """The parameters of one of `PRESETS`, with their comments."""
    params = _yaml.load(_preset_text(OVER.get(preset, preset)))
    if preset in OVER:
        _update(params, _yaml.load(_preset_text(preset)))
    _add_settings(params)
    return params


def _update(settings: Any, changes: Any) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(settings.get(key), Mapping):
            _update(settings[key], value)
        else:
            settings[key] = value


def _preset_text(preset: str) -> str:
    return (resources.files("wsss_core.presets") / f"{preset}.yaml").read_text(encoding="utf-8")


def _replace(path: Path, text: str) -> None:
    building = path.with_name(f"{path.name}.building")
    building.write_text(text, encoding="utf-8")
    os.replace(building, path)


def _remove_orphans(rows: Rows) -> list[Path]:
    removed = []
    for folder, kinds in PER_ROW.items():
        known = {name for kind in kinds for name in rows[kind]}
        if folder.startswith("reports/"):
            known = {f"{name}.json" for name, row in rows["evaluations"].items() if f"reports/{row['kind']}" == folder}
        for path in sorted(Path(folder).glob("*")):
            if path.name not in known and not path.name.startswith("."):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                removed.append(path)
    return removed
