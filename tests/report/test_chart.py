import numpy as np
import pytest

from wsss_core.report.chart import FRAME, MOST_POINTS, line_chart


def test_points_lie_where_the_ticks_say():
    chart = line_chart("t", "x", "y", {"a": [(0, 10), (10, 20)]})
    assert [tick.text for tick in chart.x_ticks] == ["0", "2", "4", "6", "8", "10"]
    assert [tick.text for tick in chart.y_ticks] == ["10", "12", "14", "16", "18", "20"]
    assert chart.lines[0].points == [(FRAME.left, FRAME.bottom), (FRAME.right, FRAME.top)]
    assert chart.lines[0].path == "44.0,236.0 420.0,28.0"


@pytest.mark.parametrize(
    "y", [[0.0137, 0.0139], [-3.0, 1234.5], [5.0, 5.0], [0.3, 0.30000001], [1e-9, 2e6], [0.1 + 0.2, 0.9]]
)
def test_ticks_enclose_the_values(y):
    chart = line_chart("t", "x", "y", {"a": list(enumerate(y))})
    assert 2 <= len(chart.y_ticks) <= 8
    assert len({tick.text for tick in chart.y_ticks}) == len(chart.y_ticks)
    for x, height in chart.lines[0].points:
        assert FRAME.left <= x <= FRAME.right and FRAME.top - 1e-6 <= height <= FRAME.bottom + 1e-6


def test_marked_charts_have_whole_steps():
    chart = line_chart("t", "iteration", "y", {"a": [(0, 1), (1, 2), (2, 2)]}, marked=True)
    assert [tick.text for tick in chart.x_ticks] == ["0", "1", "2"]


def test_long_lines_become_block_means():
    chart = line_chart("t", "x", "y", {"a": [(i, i % 2) for i in range(4 * MOST_POINTS)]})
    heights = np.array(chart.lines[0].points)[:, 1]
    assert len(heights) == MOST_POINTS and np.ptp(heights) < 1e-9
    assert [tick.text for tick in chart.y_ticks][::5] == ["0", "1"]  # 0 to 1 encloses the means of 1/2


def test_many_lines_are_told_apart():
    lines = line_chart("t", "x", "y", {str(i): [(0, i), (1, i)] for i in range(15)}).lines
    assert len({(line.colour, line.dash) for line in lines}) == 15


@pytest.mark.parametrize("series", [{}, {"a": []}])
def test_nothing_to_draw_is_refused(series):
    with pytest.raises(ValueError, match="at least one point"):
        line_chart("t", "x", "y", series)
