"""The papers' claims: the rule by hand, and a list that names nothing that the graph cannot make."""

import json
import string

import pytest

from wsss_core.cli.presets import init_project
from wsss_core.report.claim_list import CLAIMS
from wsss_core.report.claims import Claim, as_json, judge
from wsss_core.report.comparison import above, adds, alike, at_most, compare, costs, filled, much_above, not_above
from wsss_core.report.figures import Figures
from wsss_core.report.results import Evaluation
from wsss_core.rows.em import em_row
from wsss_core.rows.graph import make_rows
from wsss_core.stage import load_params

CHAINS = {
    "affinity": [{"pairwise": "refined_1", "val": "one_spn"}, {"pairwise": "refined_2", "val": "two_spn"}],
    "affinity_s1": [{"pairwise": "refined_1_s1", "val": "one_s1_spn"}, {"pairwise": "refined_2_s1"}],
}


def figures(seconds=None, em_runs=(), **miou: float | tuple[float, ...]) -> Figures:
    """Runs by name, mIoU in percent of seeds 0, 1, …"""
    found = []
    for name, values in miou.items():
        for seed, value in enumerate(values if isinstance(values, tuple) else (values,)):
            scores = {"miou": value / 100, "per_class": {"background": 0.9, "cat": 0.1, "dog": 0.3, "cow": None}}
            found.append(Evaluation(f"{name}_s{seed}" if seed else name, "runs", {"val": scores}))
    return Figures(found, {}, em_runs, seconds=seconds)


@pytest.mark.parametrize(
    ("a", "b", "verdict", "reason"),
    [
        ((30, 32, 34), (20, 21, 22), "holds", ""),  # differences 10, 11, 12: 11 ± 2
        ((20, 21, 22), (30, 32, 34), "does not hold", ""),
        ((30, 26, 25), (20, 21, 22), "not decided", "within the spread of the seeds"),  # 10, 5, 3: 6 ± 7.2
        ((30, 30, 30), (30, 30, 30), "does not hold", ""),  # the same is not more
        ((30, 32), (20, 21), "not decided", "two seeds of the three needed"),
        (30, 20, "not decided", "one seed of the three needed"),
        ((30, 31), 20, "not decided", "one seed of the three needed"),  # in common
        ((), (20, 21), "not decided", "missing: a"),
        ((), (), "not decided", "missing: a, b"),
    ],
)
def test_more_than_the_spread_decides(a, b, verdict, reason):
    (judged,) = judge([Claim("C0", "a > b", "", (above("a", "b"),))], figures(a=a, b=b))
    assert (judged.verdict, judged.reason) == (verdict, reason)
    assert judged.compared[0].values == {
        name: pytest.approx(list(values) if isinstance(values, tuple) else [values])
        for name, values in (("a", a), ("b", b))
    }


def test_spread_is_two_standard_deviations_of_the_seeds_differences():
    compared = compare(above("a", "b"), figures(a=(30, 32, 34), b=(20, 21, 22)))
    assert compared.differences == pytest.approx([10, 11, 12])
    assert compared.spread == pytest.approx(2)
    # both rise together from seed to seed: only the difference counts
    assert compare(above("a", "b"), figures(a=(10, 20, 30), b=(8, 18, 28))).verdict == "holds"


@pytest.mark.parametrize(
    ("comparison", "verdicts"),
    [  # for a − b of 0.5, 2 and 4, the same with every seed
        (above("a", "b"), ("holds", "holds", "holds")),
        (much_above("a", "b"), ("does not hold", "does not hold", "holds")),
        (alike("a", "b"), ("holds", "does not hold", "does not hold")),
        (not_above("a", "b"), ("holds", "does not hold", "does not hold")),
        (adds("a", "b", 1.5, 2.5), ("does not hold", "holds", "does not hold")),
        (at_most("a", 33), ("holds", "holds", "does not hold")),
    ],
)
def test_what_each_word_expects(comparison, verdicts):
    found = tuple(compare(comparison, figures(a=(30 + d,) * 3, b=(30,) * 3)).verdict for d in (0.5, 2, 4))
    assert found == verdicts


def test_all_comparisons_must_hold_unless_some_are_enough():
    known = figures(a=(30,) * 3, b=(20,) * 3)
    true, false, unknown = above("a", "b"), above("b", "a"), above("a", "c")
    expected = {
        (true, unknown): ("not decided", "holds"),
        (false, unknown): ("does not hold", "not decided"),
        (true, false): ("does not hold", "holds"),
        (true, true): ("holds", "holds"),
    }
    for comparisons, verdicts in expected.items():
        claims = [Claim("C0", "", "", comparisons, some=some) for some in (False, True)]
        assert tuple(j.verdict for j in judge(claims, known)) == verdicts


def test_what_is_made_once_serves_every_seed():
    known = figures(dcsp_1=(50, 51), cue_map=30)
    assert compare(much_above("dcsp_1", "cue_map"), known).differences == pytest.approx([20, 21])


def test_seeds_that_do_not_meet_decide_nothing():
    scores = {"val": {"miou": 0.5}}
    apart = Figures([Evaluation("a", "runs", scores), Evaluation("b_s1", "runs", scores)], {})
    assert compare(above("a", "b"), apart).reason == "no seed to compare"


def test_names_lead_to_measures_seeds_and_crf():
    runs = {"dcsp_s1_0": 1, "dcsp_s1_0_s1": 2, "one_spn": 3, "one_s1_spn": 4, "em_adapt+crf": 5, "em_adapt_s2+crf": 6}
    found = [Evaluation(name, "runs", {"val": {"miou": value / 100}}) for name, value in runs.items()]
    found += [
        Evaluation(name, "labels", {"easy": {"recall": 0.9}, "train": {"recall": value / 100, "energy": -0.01}})
        for name, value in {"cues_dcsp": 7, "cues_dcsp_s1": 8, "refined_1": 9}.items()
    ]
    known = Figures(found, CHAINS)
    expected = {
        "dcsp_s1_0": {0: 1, 1: 2},
        "one_spn": {0: 3, 1: 4},
        "affinity/val/1": {0: 3, 1: 4},
        "em_adapt+crf": {0: 5, 2: 6},
        "cues_dcsp:recall": {0: 7},
        "cues_dcsp_s1:recall": {0: 8},
        "affinity/pairwise/1:recall": {0: 9},
        "affinity/pairwise/1:energy": {0: -1},
        "affinity/pairwise/1:precision": {},
        "affinity/val/2": {},
    }
    assert {name: known.by_seed(name) for name in expected} == {k: pytest.approx(v) for k, v in expected.items()}
    assert known.steps == 2
    assert figures(a=50).by_seed("a:foreground") == {0: pytest.approx(20)}


def test_places_are_filled_with_every_number_and_step():
    masks, both = em_row("strong_only", start="s", seed=0), em_row("cross_strong", start="s", seed=0, strong="all")
    rows = [masks | {"strong": strong} for strong in (200, 50, 200, "all")]
    rows += [both | {"second_strong": strong} for strong in (20, "all")]
    rows.append(em_row("field_small", start="s", seed=0, strong=300))  # has no masks alone to be compared with
    some = figures(em_runs=rows)
    pairs = [list(compare(c, some).values) for c in filled(above("a_{n}", "strong_{n}"), some)]
    assert pairs == [["a_50", "strong_50"], ["a_200", "strong_200"]]
    assert [c.first for c in filled(above("a_{most}", "b"), some)] == ["a_200"]
    assert [c.second for c in filled(above("a", "cross_{k}"), some)] == ["cross_20"]
    steps = Figures([], {"affinity": [{}] * 3, "combined": [{}] * 9})
    assert [(c.first, c.second) for c in filled(above("x/{next}", "x/{t}"), steps)] == [("x/2", "x/1"), ("x/3", "x/2")]
    assert [c.first for c in filled(above("x/{t}", "y/{last}"), steps)] == ["x/1", "x/2", "x/3"]
    assert Figures([], {"affinity": [{}] * 7}).steps == 5  # further ones are the plateau's
    (judged,) = judge([Claim("C0", "", "", (above("a_{n}", "b_{most}"),))], figures())
    assert (judged.verdict, judged.reason) == ("not decided", "missing: a_<n>, b_<most>")


def test_time_is_compared_where_it_is_known():
    assert judge(CLAIMS[26:27], figures())[0].reason == "time is no part of a reproducible page: see costs.html"
    quick = dict.fromkeys(("crf_none", "crf_none_s1", "crf_none_s2"), 100)
    quick |= {"crf_exp": 104, "crf_exp_s1": 105, "crf_exp_s2": 106}
    compared = compare(costs("crf_exp", "crf_none", 10), figures(quick))
    assert compared.differences == pytest.approx([4, 5, 6])
    assert compared.verdict == "holds"


def test_a_time_of_0_seconds_compares_with_nothing():
    compared = compare(costs("a", "b", 10), figures({"a": 9.0, "a_s1": 9.0, "b": 0.0, "b_s1": 10.0}))
    assert compared.differences == pytest.approx([-10])
    nothing = compare(costs("a", "b", 10), figures({"a": 9.0, "b": 0.0}))
    assert (nothing.differences, nothing.verdict, nothing.reason) == ([], "not decided", "no seed to compare")


def test_average_pooling_is_judged_by_what_the_mined_cues_find_of_the_objects():
    found = [
        Evaluation(name, "labels", {"train": {"recall": recall, "foreground_recall": objects}})
        for name, recall, objects in (("cues_dcsp", 0.7, 0.8), ("cues_dcsp_gmp", 0.9, 0.6))
    ]
    (judged,) = judge([claim for claim in CLAIMS if claim.id == "C28"], Figures(found, {}))
    assert judged.compared[0].differences == pytest.approx([20])
    assert (judged.verdict, judged.reason) == ("not decided", "made once for all seeds, so without a spread")


def test_a_combination_called_strong_is_no_run_on_masks(rows):
    found = [Evaluation(name, "runs", {"val": {"miou": 0.5}}) for name in ("strong_0", "strong_1", "cross_strong_1")]
    known = Figures([*scored(rows), *found], rows["chains"], rows["em_runs"].values())
    assert (known.masks, known.second) == ([50, 100, 200], [20])


def test_every_claim_is_there_once():
    assert [claim.id for claim in CLAIMS] == [f"C{n}" for n in range(1, 29)]
    # those marked (n) in the list of claims have no figures of the paper
    assert {claim.id for claim in CLAIMS if not claim.paper} == {"C2", "C7", "C11", "C13", "C27", "C28"}


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Those of all methods and ablations, repeated, on two data sets."""
    for folder in ("stages", "photos/JPEGImages", "pairs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.chdir(tmp_path)
    methods = ["mining", "crf", "em", "dcsp", "affinity"]
    init_project(
        "laptop",
        root=tmp_path / "photos",
        second=tmp_path / "photos",
        saliency_pairs=tmp_path / "pairs",
        options={"methods": methods, "rounds": 3, "steps": 7, "seeds": 3, "ablations": True},
    )
    return make_rows(load_params())


def scored(rows: dict, crf: bool = True) -> list[Evaluation]:
    scores = {"miou": 0.5, "precision": 0.5, "foreground_recall": 0.5, "energy": 0.1, "energy_mined": 0.1}
    scores["per_class"] = {"background": 0.5, "cat": 0.5}
    return [
        Evaluation(f"{name}{ending}", row["kind"], {"val": scores, "train": scores})
        for name, row in rows["evaluations"].items()
        for ending in (("", "+crf") if crf and row["kind"] == "runs" else ("",))
    ]


def test_every_name_is_one_that_the_graph_makes(rows):
    seconds = dict.fromkeys(rows["em_runs"], 1.0)
    known = Figures(scored(rows), rows["chains"], rows["em_runs"].values(), seconds=seconds)
    assert known.masks == [50, 100, 200] and known.second == [20]
    for judged in judge(CLAIMS, known):
        for compared in judged.compared:
            assert all(compared.values.values()), (judged.claim.id, compared.values)
    # each has all three seeds, but those of cues that no seed changes
    assert {j.claim.id: j.reason for j in judge(CLAIMS, known) if j.reason} == {
        "C28": "made once for all seeds, so without a spread"
    }


def test_a_plateau_is_what_step_5_has():
    steps = [{"val": f"affinity_{t}_spn"} for t in range(1, 8)]
    falling = {f"affinity_{t}_spn": 0.6 - 0.006 * (t > 5) * (t - 5) for t in range(1, 8)}
    scored = [
        Evaluation(name.replace("_spn", f"{s}_spn"), "runs", {"val": {"miou": miou}})
        for name, miou in falling.items()
        for s in ("", "_s1", "_s2")
    ]
    chains = {
        f"affinity{s}": [{"val": step["val"].replace("_spn", f"{s}_spn")} for step in steps] for s in ("", "_s1", "_s2")
    }
    (plateau,) = judge([claim for claim in CLAIMS if claim.id == "C26"], Figures(scored, chains))
    # step 6 is .6 points lower, step 7 another .6: too far from step 5, though not from step 6
    assert [each.verdict for each in plateau.compared[2:]] == ["holds", "does not hold"]


def test_places_are_known_ones():
    names = [name for claim in CLAIMS for c in claim.comparisons for name in (c.first, c.second or "")]
    places = {place for name in names for _, place, _, _ in string.Formatter().parse(name) if place}
    assert places == {"n", "most", "k", "t", "next", "last"}


def test_without_any_figure_nothing_is_decided():
    judged = judge(CLAIMS, Figures([], {}))
    assert {j.verdict for j in judged} == {"not decided"}
    assert all(j.reason for j in judged)
    assert judged[20].reason == "missing: em_fixed+crf, em_fixed, em_adapt+crf and 9 more"


def test_json_holds_the_figures_of_every_seed(rows):
    values = as_json(judge(CLAIMS, figures(em_adapt=(14.12345, 15, 14), em_fixed=(12, 12, 12))))
    assert values[0] == {
        "id": "C1",
        "statement": "EM-Adapt > EM-Fixed with weak labels only",
        "paper": "38.2 > 20.8 (CRF)",
        "verdict": "holds",
        "reason": "",
        "ours": [
            {
                "values": {"em_adapt": [14.123, 15.0, 14.0], "em_fixed": [12.0, 12.0, 12.0]},
                "expected": "> 0",
                "differences": [2.123, 3.0, 2.0],
                "spread": 1.09,
                "verdict": "holds",
                "reason": "",
            }
        ],
    }
    assert json.loads(json.dumps(values, allow_nan=False)) == values
