import pytest

from wsss_core.report.ranking import class_bars, ranking
from wsss_core.report.results import Evaluation
from wsss_core.report.seeds import Spread, without_seed


def run(name: str, miou: float, cat: float | None) -> Evaluation:
    scores = {"miou": miou, "pixel_accuracy": 0.5, "per_class": {"background": 0.25, "cat": cat}, "images": 7}
    return Evaluation(name, "runs", {"val": scores})


RUNS = [run("mining_0", 0.5, 0.5), run("mining_0_s1", 0.75, None), run("em_adapt", 0.7, 0.1), run("full", 0.2, None)]


def test_seeds_are_one_row_and_the_highest_mean_comes_first():
    ranked = ranking([*RUNS, Evaluation("cues", "labels", {"val": {}})])["val"]
    assert [(r.name, r.miou.values) for r in ranked] == [
        ("em_adapt", (0.7,)),
        ("mining_0", (0.5, 0.75)),
        ("full", (0.2,)),
    ]
    assert ranked[1].per_class == {"background": Spread((0.25, 0.25)), "cat": Spread((0.5,))}
    assert ranked[2].per_class["cat"] is None


def test_splits_are_ranked_apart():
    scores = RUNS[0].splits["val"]
    assert {
        split: len(r) for split, r in ranking([Evaluation("a", "runs", {"val": scores, "test": scores})]).items()
    } == {
        "val": 1,
        "test": 1,
    }


def test_a_spread_is_written_only_where_there_are_seeds():
    several = Spread((0.5, 0.52, 0.54))
    assert (several.text, several.seeds) == ("52.0 ± 2.0", "3 seeds")
    assert (Spread((0.5,)).text, Spread((0.5,)).seeds) == ("50.0", "one seed")


@pytest.mark.parametrize(
    ("name", "base", "seed"),
    [
        ("mining_2", "mining_2", 0),
        ("mining_2_s1", "mining_2", 1),
        ("mining_2_s1+crf", "mining_2+crf", 1),
        ("affinity_1_s2_spn", "affinity_1_spn", 2),
        ("dcsp_s1_0", "dcsp_s1_0", 0),
        ("dcsp_s1_0_s2", "dcsp_s1_0", 2),
        ("cues_dcsp_s1", "cues_dcsp_s1", 0),
    ],
)
def test_a_seed_is_told_from_a_saliency_step(name, base, seed):
    assert without_seed(name) == (base, seed)


def test_classes_have_a_bar_for_each_main_run_or_else_for_the_best():
    ranked = ranking(RUNS)["val"]
    bars = class_bars(ranked, ["mining_0", "absent", "em_adapt"])
    assert list(bars) == ["background", "cat"]
    assert [(bar.run, bar.iou) for bar in bars["cat"]] == [("mining_0", Spread((0.5,))), ("em_adapt", Spread((0.1,)))]
    assert len({bar.colour for bar in bars["cat"]}) == 2
    assert [bar.run for bar in class_bars(ranked, ["absent"])["cat"]] == ["em_adapt"]
