"""The wiring rows of the graph (`stages/rows.yaml`): which store feeds which run.

Numbers are written by hand in `params.yaml`; this file turns its section `rows` into rows, so that adding a round, a
seed or the ablations is one word. A row reaches a stage only through its command line and its dependencies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from wsss_core.cli.combinations import WORDS, Chain, check_name, combined_rows, varied
from wsss_core.cli.panels import gallery_panels
from wsss_core.cli.step_rows import How, StepRows, affinity_rows
from wsss_core.stage import InputError, bind, section

Rows = dict[str, Any]

# η of both EM iterations as in Hou et al. 2016 (mining pixels), Table 4, and Max where it is not the hard loss.
ABLATED_PAIRS = (
    ("hard", "hard"),
    ("max_10", "hard"),
    ("max_10", "max_10"),
    ("relative_05", "hard"),
    ("relative_05", "relative_05"),
    ("max_70", "max_70"),
    ("max_90", "max_90"),
)

# Weights λ of the neighbourhood term in percent; 0 is the run crf_none and 30 are the runs crf_mean and crf_exp.
SWEPT_WEIGHTS = (10, 20, 50, 100)

# What EM with biases sweeps in its ablations: b_fg − b_bg (b_bg is 3) and the percentage α of Bbox-Seg.
SWEPT_GAPS = (0, 1, 4, 8)
SWEPT_CENTERS = (40, 60, 80)

CHECKED = (
    *("saliency_nets", "attentions", "cues", "runs", "em_runs", "cue_maps", "crf_searches", "esteps"),
    *("regions", "affinities", "refinements", "walks"),
)
CHECKED_KEYS = (
    *("pairs", "start", "attention", "dataset", "labels", "second"),
    *("segmenter", "unary", "net", "cues", "store"),
)

# What DCSP varies of its cues beside the saliency step: how saliency and attention are joined, γ, and the pooling.
DCSP_CUES: dict[str, dict[str, Any]] = {
    "arithmetic": {"combine": "arithmetic"},
    "geometric": {"combine": "geometric"},
    "max": {"combine": "max"},
    **{f"gamma_{percent}": {"threshold": percent / 100} for percent in (20, 30, 50, 60)},
    "gmp": {},
}

# DVC wants every dependency slot filled with something that exists, and no two with the same.
NOTHING, NOTHING_ELSE, NOTHING_AT_ALL = "data/README.md", "reports/README.md", "stages/__init__.py"
NOTHING_MORE, NOTHING_LEFT = "wsss_core/__init__.py", "wsss_core/cli/__init__.py"

Method = Literal["mining", "crf", "em", "dcsp", "affinity", "combined"]
METHODS: tuple[str, ...] = get_args(Method)


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """Section `rows` of `params.yaml`.

    Attributes:
        preset: the preset that the file came from.
        methods: `mining` (mining pixels), `crf` (the CRF neighbourhood), `em` (EM with biases), `dcsp`
            (class-specific pixels), `affinity` (iterative affinity learning) and `combined` (what the section
            `combinations` names); their runs are in the graph.
        main_only: of every method its main run and what that is made of, not the runs it is compared with.
        backbone: section of `backbone` from which every network starts.
        encoder: another one for the encoder–decoder of `crf`.
        tagged: start the runs of `crf`, `em`, `affinity` and `combined` from the attention network, a classifier of
            these very classes, instead of the backbone, a region network from the segmenter that it judges, and from
            step 2 on the networks of `affinity` from those of the step before: for budgets that are too small to learn
            classes and places at once.
        attention: section of `attention` whose maps select easy images and feed the mining rules; a rule with
            the name of another section (`cam`) uses that one.
        rounds: EM iterations after the initial model.
        networks: by method, how many segmentation networks its share of the budget is divided among; as many as its
            main run has where left out. A number here stays when iterations are added, so that those there are stay.
        seeds: how often every run is repeated, with seeds 0, 1, …
        ablations: of `mining` also the η pairs of the paper, hard loss in both iterations, and EM without mined pixels;
            of `crf` both neighbourhoods at every weight λ, and the exponentiated one with a kernel of sum 1; of `em`
            b_fg − b_bg, α of Bbox-Seg, and small against large field of view; of `dcsp` other cues (saliency steps,
            means, γ, maximum pooling), no adapting, and segmentation apart from classification; of `affinity` no mining
            of regions, no propagation, no smoothness, and random walks instead of it all; of the first combination
            the same on the cues of the max rule, from the backbone, without the IoU gain, and without the CRF
            neighbourhood, if it has them.
        adapts: how often `dcsp` adapts its cues; twice at least with the ablations.
        steps: how often `affinity` learns, mines and propagates, its T.
        affinity_cues: section of `mine_cues` that `affinity` starts from; `cam` in the paper.
        strong: numbers of images with masks beside the others, for `em`; `all` for all that have one.
        second_strong: numbers of images of the second data set with masks, the others weak, for `em`.
        detector: where saliency comes from: the trained network, a folder of ready-made maps, or an `.onnx` file.
        full: also a run on the true masks, the upper bound.
    """

    preset: str
    methods: tuple[Method, ...] = ("mining",)
    main_only: bool = False
    backbone: str
    encoder: str | None = None
    tagged: bool = False
    attention: str
    rounds: int = 2
    adapts: int = 1
    steps: int = 2
    affinity_cues: str = "cam"
    networks: dict[str, int] = field(default_factory=dict)
    seeds: int = 1
    ablations: bool = False
    detector: str = "data/saliency_net"
    full: bool = False
    strong: tuple[Any, ...] = (50, 100, 200, "all")
    second_strong: tuple[int, ...] = (20,)

    def __post_init__(self) -> None:
        for number in self.strong:
            if number != "all" and not (type(number) is int and number > 0):
                raise ValueError(f"strong: expected numbers of images or all, got {number!r}")
        if "mining" not in self.methods:
            raise ValueError("methods: mining is always among them; run another one alone by naming its stages")
        if self.main_only and self.ablations:
            raise ValueError(
                "main_only and ablations: only one of them; --no-main-only or --no-ablations ends the other"
            )
        for key in ("rounds", "adapts", "steps", "seeds"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key} must be at least 1, got {getattr(self, key)}")
        for method, number in self.networks.items():
            if method not in ("mining", "dcsp", "affinity") or number < 1:
                raise ValueError(f"networks: expected mining, dcsp or affinity and at least 1, got {method}: {number}")

    def sharing(self, method: Literal["mining", "dcsp", "affinity"]) -> int:
        """Segmentation networks of a method among which the budget is divided."""
        of_main_run = {"mining": self.rounds + 1, "dcsp": self.adapts + 1, "affinity": self.steps}
        return self.networks.get(method, of_main_run[method])


def make_rows(params: Mapping[str, Any]) -> Rows:
    """All rows for the given parameters, checked.

    Raises:
        InputError: `params.yaml` names a section or a store that does not exist.
    """
    wiring = bind(Wiring, section(params, "rows"), "rows")
    chains = _chains(params, wiring) if "combined" in wiring.methods else {}
    dcsp_ablated = "dcsp" in wiring.methods and wiring.ablations
    attentions = [name for name in section(params, "attention") if dcsp_ablated or name != "gmp"]
    asked = {chain.cues for chain in chains.values()}
    mined = [name for name in section(params, "mine_cues") if name in asked or _is_wanted(name, wiring)]
    if wiring.attention not in attentions:
        raise InputError(f"params.yaml: rows.attention: {wiring.attention!r} is none of {', '.join(attentions)}")
    trained = wiring.detector == "data/saliency_net"
    start = f"backbones/{wiring.backbone}"
    runs, esteps = _mining_runs(wiring, start)
    cue_maps: dict[str, Any] = {}
    if "dcsp" in wiring.methods:
        cue_maps = {"cue_map": {"net": "attention_nets/fcan"}} if wiring.ablations else {}
        dcsp_runs, dcsp_esteps = _dcsp_runs(wiring, [name for name in mined if name.startswith("dcsp_")])
        runs, esteps = runs | dcsp_runs, esteps | dcsp_esteps
    steps = StepRows()
    chosen: dict[str, Any] = {"start": _online_start(wiring), "seeds": wiring.seeds, "tagged": wiring.tagged}
    if "affinity" in wiring.methods:
        if wiring.affinity_cues not in mined:
            raise InputError(f"params.yaml: rows.affinity_cues: {wiring.affinity_cues!r} is none of {', '.join(mined)}")
        attention = f"attention/{_mined('cam', attentions, wiring)}"
        steps |= affinity_rows(
            steps=wiring.steps,
            networks=wiring.sharing("affinity"),
            cues=wiring.affinity_cues,
            ablations=wiring.ablations,
            attention=attention,
            **chosen,
        )
    combined = combined_rows(chains, **chosen)
    taken = runs | steps.runs | (_crf_runs(wiring) | _em_runs(wiring, two_sets=True))
    if double := sorted(combined.runs.keys() & taken.keys()):
        raise InputError(f"params.yaml: combinations: there is a run {double[0]!r} already; choose another name")
    steps |= combined
    runs, esteps = runs | steps.runs, esteps | steps.esteps
    two_sets = "second" in section(params, "ingest") and "em" in wiring.methods
    em_runs = _crf_runs(wiring) if "crf" in wiring.methods else {}
    box_labels: dict[str, Any] = {}
    if "em" in wiring.methods:
        if not wiring.main_only:
            box_labels = {name: {"settings": name} for name in section(params, "box_labels")}
        em_runs |= _em_runs(wiring, two_sets=two_sets)
    segmenters = {
        name: {"seed": run["seed"]}
        for name, run in (runs | em_runs | steps.affinities).items()
        if run.get("dataset") != "second"
    }
    backbones = {wiring.backbone, wiring.encoder or wiring.backbone} if "crf" in wiring.methods else {wiring.backbone}
    searched = "crf" in wiring.methods and not wiring.main_only
    searches = {"crf_exp": {"segmenter": "segmenters/crf_exp"}} if searched else {}
    cues = {name: {"settings": name, "attention": f"attention/{_mined(name, attentions, wiring)}"} for name in mined}
    cues |= steps.cues
    rows: Rows = {
        "scenes": {"scenes": {"settings": "make_scenes"}} if "make_scenes" in params else {},
        "datasets": {
            name: _sources(section(params, f"ingest.{name}"), name)
            for name in section(params, "ingest")
            if (trained or name != "saliency_pairs") and (two_sets or name != "second")
        },
        "backbones": {name: {"settings": name} for name in sorted(backbones)},
        "saliency_nets": {"saliency_net": {"pairs": "saliency_pairs", "start": start}} if trained else {},
        "wiring": {
            "detector": wiring.detector,
            "attention": f"attention/{wiring.attention}",
            "crf_search": "data/crf_search" if searches else NOTHING,
            "box_labels": "data/box_labels" if box_labels else NOTHING_ELSE,
            "regions": "data/regions" if steps.regions else NOTHING_AT_ALL,
            "refined": "data/refined" if steps.refinements else NOTHING_MORE,
            "walks": "data/walks" if steps.walks else NOTHING_LEFT,
        },
        "attentions": {name: {"start": start} for name in attentions},
        "cues": cues,
        "runs": runs,
        "em_runs": em_runs,
        "segmenters": segmenters,
        "cue_maps": cue_maps,
        "boxed": box_labels,  # the sections of params.yaml are variables of dvc.yaml, too: no row kind has their names
        "crf_searches": searches,
        "esteps": esteps,
        "regions": steps.regions,
        "affinities": steps.affinities,
        "refinements": steps.refinements,
        "walks": steps.walks,
        "chains": steps.chains,
        "combined": steps.combined,
        "main_runs": _main_runs(wiring, steps.combined),
        "evaluations": _evaluations(attentions, cues, box_labels, esteps, segmenters | cue_maps, steps),
        "plotted": [name for name in segmenters if (runs | em_runs).get(name, {}).get("settings") != "untrained"],
    }
    rows["panels"] = gallery_panels(rows, mined)
    check_rows(rows, params)
    return rows


def _sources(settings: Mapping[str, Any], name: str) -> dict[str, str]:
    sources = section(settings, "sources")
    roots = [section(sources, source).get("root") for source in sources]
    if not 1 <= len(roots) <= 2 or not all(isinstance(root, str) for root in roots):
        raise InputError(f"params.yaml: ingest.{name}.sources: give one or two sources, each with a root")
    return {"main": str(roots[0]), "more": str(roots[1]) if len(roots) == 2 else NOTHING}


def _mining_runs(wiring: Wiring, start: str) -> tuple[dict[str, Any], dict[str, Any]]:
    runs: dict[str, Any] = {}
    esteps: dict[str, Any] = {}
    for seed in range(wiring.seeds):
        s = f"_s{seed}" if seed else ""
        how = {"seed": seed, "networks": wiring.sharing("mining")}

        def add(run: str, settings: str, labels: str, begin: str, how: How = how, s: str = s) -> None:
            runs[f"{run}{s}"] = {"settings": settings, "labels": labels, "start": begin} | how

        def estep(name: str, segmenter: str, s: str = s) -> str:
            network = f"segmenters/{segmenter}{s}"
            esteps[f"{name}{s}"] = {"settings": "class_restricted", "segmenter": network, "cues": "cues/max"}
            return f"posteriors/{name}{s}"

        add("mining_0", "mining_0", "cues/max", start)
        for t in range(1, wiring.rounds + 1):
            labels = estep(f"mining_{t}", f"mining_{t - 1}")
            add(f"mining_{t}", f"mining_{t}", labels, f"segmenters/mining_{t - 1}{s}")
        if wiring.full:
            add("full", "full", "dataset/masks", start, how | {"networks": 1})
        if wiring.ablations:
            for first, second in ABLATED_PAIRS:
                once, twice = f"em1_{first}", f"em2_{first}_{second}"
                add(once, first, f"posteriors/mining_1{s}", f"segmenters/mining_0{s}")
                add(twice, second, estep(once, once), f"segmenters/{once}{s}")
            add("cold_0", "untrained", "cues/max", f"attention_nets/{wiring.attention}")
            for t in (1, 2):
                add(f"cold_{t}", "relative_05", estep(f"cold_{t}", f"cold_{t - 1}"), f"segmenters/cold_{t - 1}{s}")
    return runs, esteps


def _is_wanted(cue: str, wiring: Wiring) -> bool:
    return not cue.startswith("dcsp") or ("dcsp" in wiring.methods and (cue == "dcsp" or wiring.ablations))


def _mined(cue: str, attentions: list[str], wiring: Wiring) -> str:
    """Whose maps a cue is mined from."""
    if cue.startswith("dcsp"):
        return "gmp" if cue == "dcsp_gmp" else "fcan"
    return cue if cue in attentions else wiring.attention


def _dcsp_runs(wiring: Wiring, variants: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Joint training on mined cues, then on what the network makes of them (Chaudhry et al. 2017, §4.3)."""
    runs: dict[str, Any] = {}
    esteps: dict[str, Any] = {}
    for seed in range(wiring.seeds):
        s = f"_s{seed}" if seed else ""
        how = {"seed": seed, "networks": wiring.sharing("dcsp")}

        def chain(
            name: str, cue: str, start: str, adapts: int = 1, settings: str = "dcsp", how: How = how, s: str = s
        ) -> None:
            runs[f"{name}_0{s}"] = {"settings": settings, "labels": cue, "start": start} | how
            for t in range(1, adapts + 1):
                before, now = f"segmenters/{name}_{t - 1}{s}", f"{name}_{t}{s}"
                esteps[now] = {"settings": "adapt", "segmenter": before, "cues": cue}
                runs[now] = {"settings": settings, "labels": f"posteriors/{now}", "start": before} | how

        fcan = "attention_nets/fcan"
        chain("dcsp", "cues/dcsp", fcan, max(wiring.adapts, 2 if wiring.ablations else 1))
        for cue in variants:
            maximum = cue == "dcsp_gmp"
            start, settings = ("attention_nets/gmp", "dcsp_gmp") if maximum else (fcan, "dcsp")
            chain(cue, f"cues/{cue}", start, settings=settings)
        if wiring.ablations:
            chain("dcsp_separate", "cues/dcsp", f"backbones/{wiring.backbone}", settings="dcsp_separate")
            again = {"settings": "dcsp", "labels": "cues/dcsp", "start": f"segmenters/dcsp_0{s}"}
            runs[f"dcsp_unadapted_1{s}"] = again | how
    return runs, esteps


def _crf_runs(wiring: Wiring) -> dict[str, Any]:
    settings = ["crf_exp"] if wiring.main_only else ["crf_none", "crf_mean", "crf_exp"]
    if wiring.ablations:
        settings += [f"crf_{form}_{weight}" for form in ("mean", "exp") for weight in SWEPT_WEIGHTS]
        settings.append("crf_joint")
    start = _online_start(wiring, wiring.encoder)
    return {
        f"{name}_s{seed}" if seed else name: em_row(name, start=start, seed=seed)
        for seed in range(wiring.seeds)
        for name in settings
    }


def em_row(
    settings: str,
    *,
    start: str,
    seed: int,
    networks: int = 1,
    strong: int | str = 0,
    labels: str = NOTHING,
    dataset: str = "dataset",
    second: str = NOTHING_ELSE,
    second_strong: int | str = 0,
    boxes: bool = False,
) -> dict[str, Any]:
    """A row of `em_runs`: the command line of `train_em`, and what of the data set it depends on beside the photos."""
    supervision = {
        (False, False): NOTHING_AT_ALL,
        (True, False): f"data/{dataset}/masks",
        (False, True): f"data/{dataset}/boxes.parquet",
        (True, True): f"data/{dataset}",
    }
    return {
        "settings": settings,
        "seed": seed,
        "networks": networks,
        "dataset": dataset,
        "strong": strong,
        "supervision": supervision[strong != 0, boxes],
        "labels": labels,
        "second": second,
        "second_strong": second_strong,
        "start": start,
    }


def _online_start(wiring: Wiring, backbone: str | None = None) -> str:
    return f"attention_nets/{wiring.attention}" if wiring.tagged else f"backbones/{backbone or wiring.backbone}"


def _em_runs(wiring: Wiring, *, two_sets: bool) -> dict[str, Any]:
    """What Papandreou et al. 2015 compare: tags, boxes, masks, and every mixture of them."""
    runs: dict[str, Any] = {}
    start = _online_start(wiring)
    for seed in range(wiring.seeds):
        s = f"_s{seed}" if seed else ""

        def add(run: str, settings: str, *, begin: str = start, seed: int = seed, s: str = s, **row: Any) -> None:
            runs[f"{run}{s}"] = em_row(settings, start=begin, seed=seed, **row)

        if wiring.main_only:
            add("em_adapt", "em_adapt")
            continue
        for strong in (0, *wiring.strong):
            n = f"_{strong}" if strong else ""
            if strong:
                add(f"strong{n}", "strong_only", strong=strong)
            if strong != "all":  # of all that have a mask: name their number to mix them with the others
                add(f"em_fixed{n}", "em_fixed", strong=strong)
                add(f"em_adapt{n}", "em_adapt", strong=strong)
                add(f"box_rect{n}", "labelled", strong=strong, labels="data/box_labels/rect")
                add(f"box_em_fixed{n}", "box_em_fixed", strong=strong, boxes=True)
                add(f"box_seg{n}", "labelled", strong=strong, labels="data/box_labels/seg")
        if wiring.ablations:
            for gap in SWEPT_GAPS:
                add(f"em_fixed_gap_{gap}", f"em_fixed_gap_{gap}")
            for center in SWEPT_CENTERS:
                add(f"box_seg_center_{center}", "labelled", labels=f"data/box_labels/seg_{center}")
            for field in ("small", "large"):
                for strong in (0, 200):
                    n = f"_{strong}" if strong else ""
                    add(f"field_{field}{n}", f"field_{field}", strong=strong)
        if two_sets:
            joined: dict[str, Any] = {"strong": "all", "second": "data/second"}
            add("cross_joint", "cross_strong", **joined, second_strong="all")
            add("cross_weak", "cross", **joined, second_strong=0)
            for strong in wiring.second_strong:
                add(f"cross_{strong}", "cross", **joined, second_strong=strong)
                add(f"cross_strong_{strong}", "cross_strong", **joined, second_strong=strong)
            add("pretrained", "strong_only", strong="all", dataset="second", networks=2)
            add("finetuned", "strong_only", strong="all", networks=2, begin=f"segmenters/pretrained{s}")
    return runs


def _chains(params: Mapping[str, Any], wiring: Wiring) -> dict[str, Chain]:
    """The combinations, and with the ablations what the first is compared with."""
    names = section(params, "combinations")
    chains = {name: bind(Chain, section(params, f"combinations.{name}"), f"combinations.{name}") for name in names}
    if not chains:
        raise InputError("params.yaml: combinations: none is named; name one, or take combined out of rows.methods")
    known = section(params, "mine_cues")
    for word in WORDS:
        if word in params.get("estep", {}):
            raise InputError(f"params.yaml: estep.{word}: in combinations the word has a meaning of its own; rename it")
    for name, chain in chains.items():
        try:
            check_name(name, tuple(method for method in METHODS if method != "combined"))
        except ValueError as error:
            raise InputError(f"params.yaml: combinations: {error}") from None
        if chain.cues not in known:
            raise InputError(f"params.yaml: combinations.{name}.cues: {chain.cues!r} is none of {', '.join(known)}")
        section(params, f"train_segmenter.{chain.settings}")
        if chain.start and chain.start.startswith(f"segmenters/{name}_"):
            raise InputError(f"params.yaml: combinations.{name}.start: {chain.start} is one of its own networks")
    return chains | (
        varied(chains, section(params, "train_segmenter"), f"backbones/{wiring.backbone}") if wiring.ablations else {}
    )


def _main_runs(wiring: Wiring, combined: Mapping[str, Any]) -> dict[str, list[str]]:
    """Of every method the networks of its main run, in the order of their training; of combinations the first."""
    chains = {
        "mining": ("mining pixels", [f"mining_{t}" for t in range(wiring.rounds + 1)]),
        "crf": ("CRF neighbourhood", ["crf_exp"]),
        "em": ("EM with biases", ["em_adapt"]),
        "dcsp": ("DCSP", [f"dcsp_{t}" for t in range(wiring.adapts + 1)]),
        "affinity": ("affinity", [f"affinity_{t}{spn}" for t in range(1, wiring.steps + 1) for spn in ("", "_spn")]),
        "combined": ("combination", [network["run"] for network in next(iter(combined.values()), [])]),
    }
    return dict(chain for method, chain in chains.items() if method in wiring.methods)


def _evaluations(
    attentions: list[str],
    cues: Mapping,
    box_labels: Mapping,
    esteps: Mapping,
    segmenters: Mapping,
    steps: StepRows,
) -> dict[str, Any]:
    rows = {"saliency": {"kind": "erasing", "store": "saliency"}}
    rows |= {f"attention_{name}": {"kind": "curves", "store": f"attention/{name}"} for name in attentions}
    rows |= {f"cues_{name}": {"kind": "labels", "store": f"cues/{name}"} for name in cues}
    rows |= {f"box_{name}_labels": {"kind": "labels", "store": f"box_labels/{name}"} for name in box_labels}
    rows |= {f"posteriors_{name}": {"kind": "labels", "store": f"posteriors/{name}"} for name in esteps}
    rows |= {f"regions_{name}": {"kind": "labels", "store": f"regions/{name}"} for name in steps.regions}
    rows |= {f"refined_{name}": {"kind": "labels", "store": f"refined/{name}"} for name in steps.refinements}
    rows |= {f"walks_{name}": {"kind": "labels", "store": f"walks/{name}"} for name in steps.walks}
    rows |= {name: {"kind": "runs", "store": f"predictions/{name}"} for name in segmenters}
    return rows


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
    sections = {
        "runs": "train_segmenter",
        "em_runs": "train_em",
        "esteps": "estep",
        "cues": "mine_cues",
        "backbones": "backbone",
        "boxed": "box_labels",
        "regions": "mine_regions",
        "affinities": "train_affinity",
        "walks": "walk",
    }
    for kind, stage in sections.items():
        for row in rows[kind].values():
            section(params, f"{stage}.{row['settings']}")
    if rows["refinements"]:
        section(params, "refine")
