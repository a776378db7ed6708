"""Affinity learning over its steps."""

from wsss_core.report.results import Evaluation
from wsss_core.report.steps import step_charts, step_tables

CHAINS = {
    "affinity": [
        {
            "unary": "posteriors_affinity_1",
            "confident": "regions_affinity_1",
            "pairwise": "refined_affinity_1",
            "val": "affinity_1_spn",
        },
        {
            "unary": "posteriors_affinity_2",
            "confident": "regions_affinity_2",
            "pairwise": "refined_affinity_2",
            "val": "affinity_2_spn",
        },
    ],
    "affinity_unpaired": [{"unary": "posteriors_affinity_1", "val": "affinity_1"}],
    "psa": [{"pairwise": "walks_psa_1"}],
}


def labels(name: str, miou: float, precision: float, **more: float) -> Evaluation:
    return Evaluation(name, "labels", {"train": {"miou": miou, "precision": precision, **more}})


EVALUATIONS = [
    labels("posteriors_affinity_1", 0.28, 0.39),
    labels("regions_affinity_1", 0.25, 0.5),
    labels("refined_affinity_1", 0.3, 0.4, energy=0.0612, energy_mined=0.0441),
    labels("posteriors_affinity_2", 0.35, 0.45),
    Evaluation("affinity_1_spn", "runs", {"val": {"miou": 0.2}}),
    Evaluation("affinity_1", "runs", {"val": {"miou": 0.18}}),
]


def test_a_row_per_step_with_dashes_for_what_is_absent():
    full, unpaired = step_tables(CHAINS, EVALUATIONS)  # nothing of psa is scored
    titles = [(table.title, table.row_head) for table in (full, unpaired)]
    assert titles == [("Steps of affinity, percent", "step"), ("Steps of affinity_unpaired, percent", "step")]
    assert full.columns[:3] == ["unary mIoU", "unary precision", "confident mIoU"]
    assert full.columns[-2:] == ["energy × 100", "after mining × 100"]
    first, second = ([cell.text for cell in cells] for cells in full.rows.values())
    assert first == ["28.0", "39.0", "25.0", "50.0", "30.0", "40.0", "20.0", "6.1", "4.4"]
    assert second == ["35.0", "45.0", "–", "–", "–", "–", "–", "–", "–"]
    assert [cell.text for cell in unpaired.rows["1"]] == [
        "28.0",
        "39.0",
        *"––––",
        "18.0",
        *"––",
    ]


def test_curves_stand_beside_the_papers():
    charts = {chart.title: chart for chart in step_charts(CHAINS, EVALUATIONS)}
    names = [line.name for line in charts["mIoU of the training labels over steps"].lines]
    assert names == ["unary", "confident", "pairwise", "paper: unary", "paper: confident", "paper: pairwise"]
    assert [len(line.points) for line in charts["mIoU of the training labels over steps"].lines] == [2, 1, 1, 7, 7, 7]
    assert [line.name for line in charts["mIoU on val over steps"].lines] == [
        "affinity",
        "affinity_unpaired",
        "paper: val",
    ]
    assert [line.name for line in charts["Energy over steps"].lines] == ["affinity", "affinity after mining"]


def test_seeds_are_one_table_and_one_curve():
    chains = {
        f"affinity{s}": [{"unary": f"posteriors_affinity_1{s}", "val": f"affinity_1{s}_spn"}] for s in ("", "_s1")
    }
    scored = [labels("posteriors_affinity_1", 0.3, 0.4), labels("posteriors_affinity_1_s1", 0.4, 0.4)]
    scored.append(Evaluation("affinity_1_s1_spn", "runs", {"val": {"miou": 0.2}}))
    (table,) = step_tables(chains, scored)
    assert table.title == "Steps of affinity, percent" and list(table.rows) == ["1"]
    texts = [cell.text for cell in table.rows["1"]]
    assert texts == ["35.0 ± 7.1", "40.0 ± 0.0", *"––––", "20.0", "–", "–"]
    charts = {chart.title: chart for chart in step_charts(chains, scored)}
    unary, *_ = charts["mIoU of the training labels over steps"].lines
    (once, *_) = step_charts({"affinity": chains["affinity"]}, [labels("posteriors_affinity_1", 0.35, 0.4)])
    assert unary.points == once.lines[0].points  # the mean
    assert [line.name for line in charts["mIoU on val over steps"].lines] == ["affinity", "paper: val"]


def test_without_the_method_there_is_nothing():
    assert step_tables({}, EVALUATIONS) == [] == step_charts({}, EVALUATIONS)
    assert step_tables(CHAINS, []) == [] == step_charts(CHAINS, [])
