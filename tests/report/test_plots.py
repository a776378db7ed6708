import pandas as pd

from wsss_core.report.plots import curve_table, draw, iterations_table, loss_table, shares_table
from wsss_core.report.results import Evaluation

NO_IMAGES = pd.DataFrame({"images": []})


def runs(**miou: float) -> list[Evaluation]:
    return [Evaluation(name, "runs", {"val": {"miou": value}}) for name, value in miou.items()]


def test_losses_of_other_steps_leave_gaps(tmp_path):
    for run, text in {"a": "step,images,total\n1,10,5\n2,10,4\n", "b": "step,images,total\n1,20,3\n"}.items():
        (tmp_path / run).mkdir()
        (tmp_path / run / "loss.csv").write_text(text)
    table = loss_table(["b", "a", "absent"], tmp_path)
    assert list(table) == ["images", "b", "a"]  # the order of the graph
    assert table.fillna(-1).values.tolist() == [[10, -1, 4], [20, 3, -1]]


def test_iterations_are_lines_by_method_means_over_seeds_beside_the_papers():
    table = iterations_table(
        runs(mining_0=0.5, mining_1=0.6, mining_1_s1=0.7, em1_max_10=0.1, em_fixed_gap_1=0.2, full=0.9), "val"
    )
    (chart,) = draw(NO_IMAGES, NO_IMAGES, pd.DataFrame({"threshold": []}), table, {})
    assert [(line.name, len(line.points)) for line in chart.lines] == [("mining", 2), ("paper: mining", 2)]
    own, paper = chart.lines
    assert (own.colour, own.dash) != (paper.colour, paper.dash) and own.colour == paper.colour
    same = iterations_table(runs(mining_0=0.5, mining_1=0.65), "val")
    assert draw(NO_IMAGES, NO_IMAGES, pd.DataFrame({"threshold": []}), same, {})[0].lines[0].points == own.points
    assert chart.marked


def test_each_table_with_rows_is_a_chart():
    curves = [Evaluation("fcan", "curves", {"val": {"thresholds": [0.0, 0.5], "miou": [0.2, None]}})]
    loss = pd.DataFrame({"images": [10, 20], "a": [2.0, None], "b": [None, None]})
    charts = draw(loss, NO_IMAGES, curve_table(curves), iterations_table([], "val"), {})
    assert [chart.title for chart in charts] == ["Training loss", "Attention against the background threshold"]
    assert [[(line.name, len(line.points)) for line in chart.lines] for chart in charts] == [
        [("a", 1)],
        [("fcan_val", 1)],
    ]


def test_what_the_e_step_gives_to_background_is_a_line_per_run(tmp_path):
    for run, share in {"em_fixed": "0.2\n2,20,1,1.0", "em_adapt": "0.4\n2,20,1,0.4"}.items():
        (tmp_path / run).mkdir()
        (tmp_path / run / "loss.csv").write_text(f"step,images,total,share_background\n1,10,1,{share}\n")
    (tmp_path / "strong").mkdir()
    (tmp_path / "strong" / "loss.csv").write_text("step,images,total\n1,10,1\n")
    shares = shares_table(["em_fixed", "em_adapt", "strong", "absent"], tmp_path)
    assert list(shares) == ["images", "em_fixed background", "em_adapt background"]
    nothing = pd.DataFrame({"threshold": []}), iterations_table([], "val"), {}
    together, *each = draw(NO_IMAGES, shares, *nothing, tagged=["em_fixed", "strong"])
    assert [line.name for line in together.lines] == ["em_fixed", "em_adapt"]
    degenerate, steady = (line.points[-1][1] for line in together.lines)
    assert degenerate < steady  # higher up on the page
    assert [(chart.title, [line.name for line in chart.lines]) for chart in each] == [
        ("E-step of em_fixed", ["background"]),
    ]
