import pandas as pd
import pytest

from wsss_core.report.chart import Chart
from wsss_core.report.plots import curve_table, draw, iterations_table, loss_table, shares_table
from wsss_core.report.results import Evaluation

NO_IMAGES, NO_THRESHOLDS = pd.DataFrame({"images": []}), pd.DataFrame({"threshold": []})
NO_RUNS = iterations_table([], "val")
MAIN = {"mining pixels": ["mining_0", "mining_1"], "EM with biases": ["em_adapt"]}


def runs(**miou: float) -> list[Evaluation]:
    return [Evaluation(name, "runs", {"val": {"miou": value}}) for name, value in miou.items()]


def test_losses_of_other_steps_leave_gaps(tmp_path):
    for run, text in {"a": "step,images,total\n1,10,5\n2,10,4\n", "b": "step,images,total\n1,20,3\n"}.items():
        (tmp_path / run).mkdir()
        (tmp_path / run / "loss.csv").write_text(text)
    table = loss_table(["b", "a", "absent"], tmp_path)
    assert list(table) == ["images", "b", "a"]  # the order of the graph
    assert table.fillna(-1).values.tolist() == [[10, -1, 4], [20, 3, -1]]


def drawn(
    *, loss=NO_IMAGES, shares=NO_IMAGES, curve=NO_THRESHOLDS, iterations=NO_RUNS, main=MAIN, online=()
) -> list[Chart]:
    return draw(loss, shares, curve, iterations, {}, main=main, online=online)


def test_iterations_are_lines_by_method_means_over_seeds_beside_the_papers():
    scored = runs(mining_0=0.5, mining_1=0.6, mining_1_s1=0.7, em1_max_10=0.1, cold_0=0.2, cold_1=0.3, em_adapt=0.9)
    (chart,) = drawn(iterations=iterations_table(scored, "val"))
    names = [(line.name, len(line.points)) for line in chart.lines]
    assert names == [("mining pixels", 2), ("paper: mining pixels", 2)]
    own, paper = chart.lines
    assert (own.colour, own.dash) != (paper.colour, paper.dash) and own.colour == paper.colour
    (same,) = drawn(iterations=iterations_table(runs(mining_0=0.5, mining_1=0.65), "val"))
    assert same.lines[0].points == own.points
    assert chart.marked


def test_the_papers_line_is_of_the_rule_that_the_main_runs_have():
    (chart,) = drawn(iterations=iterations_table(runs(mining_0=0.535, mining_1=0.561), "val"))
    own, paper = chart.lines
    heights = [[y for _, y in line.points] for line in (own, paper)]
    assert heights[1] == pytest.approx(heights[0])  # 56.1 is its Relative rule, 56.3 the other


def test_iterations_go_on_beyond_nine_and_end_with_the_propagation():
    scored = runs(mining_8=0.5, mining_10=0.5, both_0=0.4, both_1=0.5, both_1_spn=0.6, affinity_1_spn=0.5)
    main = {
        "mining pixels": ["mining_8", "mining_10"],
        "combination": ["both_0", "both_1", "both_1_spn"],
        "affinity": ["affinity_1_spn"],
    }
    (chart,) = drawn(iterations=iterations_table(scored, "val"), main=main)
    lines = {line.name: line.points for line in chart.lines}
    assert list(lines) == [*main, "paper: affinity"]
    zero, ten = chart.x_ticks[0].at, chart.x_ticks[-1].at
    places = {name: [10 * (x - zero) / (ten - zero) for x, _ in points] for name, points in lines.items()}
    assert places["mining pixels"] == pytest.approx([8, 10]) and places["combination"] == pytest.approx([0, 1])
    assert lines["combination"][1][1] < lines["mining pixels"][0][1]  # 60 is higher up on the page than 50


def test_each_table_with_rows_is_a_chart():
    curves = [Evaluation("fcan", "curves", {"val": {"thresholds": [0.0, 0.5], "miou": [0.2, None]}})]
    loss = pd.DataFrame({"images": [10, 20], "mining_0": [2.0, None], "mining_1": [None, None]})
    charts = drawn(loss=loss, curve=curve_table(curves))
    assert [chart.title for chart in charts] == ["Training loss", "Attention against the background threshold"]
    assert [[(line.name, len(line.points)) for line in chart.lines] for chart in charts] == [
        [("mining_0", 1)],
        [("fcan_val", 1)],
    ]


def test_the_loss_is_drawn_of_the_main_runs_of_seed_0_alone():
    trained = ["mining_0", "mining_0_s1", "em1_max_10", "em_adapt"]
    loss = pd.DataFrame([[10, 2.0, 2.0, 2.0, 2.0]], columns=["images", *trained])
    (chart,) = drawn(loss=loss)
    assert [line.name for line in chart.lines] == ["mining_0", "em_adapt"]


def test_what_the_e_step_gives_to_background_is_a_line_per_run(tmp_path):
    for run, share in {"em_fixed": "0.2\n2,20,1,1.0", "em_adapt": "0.4\n2,20,1,0.4"}.items():
        (tmp_path / run).mkdir()
        (tmp_path / run / "loss.csv").write_text(f"step,images,total,share_background\n1,10,1,{share}\n")
    (tmp_path / "strong").mkdir()
    (tmp_path / "strong" / "loss.csv").write_text("step,images,total\n1,10,1\n")
    shares = shares_table(["em_fixed", "em_adapt", "strong", "absent"], tmp_path)
    assert list(shares) == ["images", "em_fixed background", "em_adapt background"]
    together, *each = drawn(shares=shares, online=["em_fixed", "em_adapt", "strong"])
    assert [line.name for line in together.lines] == ["em_fixed", "em_adapt"]
    degenerate, steady = (line.points[-1][1] for line in together.lines)
    assert degenerate < steady  # higher up on the page
    assert [(chart.title, [line.name for line in chart.lines]) for chart in each] == [
        ("E-step of em_fixed", ["background"]),
        ("E-step of em_adapt", ["background"]),
    ]
    together, _ = drawn(shares=shares, online=["em_fixed"])
    assert [line.name for line in together.lines] == ["em_fixed"]
