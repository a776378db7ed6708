"""The papers' figures stand beside the runs that they are of."""

import pytest

from wsss_core.report.reference import PAPERS
from wsss_core.report.seeds import without_seed


@pytest.mark.parametrize(
    ("run", "miou"),
    [
        ("affinity_1_spn", 51.3),
        ("affinity_5_spn", 62.0),
        ("affinity_7_spn", 62.0),
        ("affinity_rough_5_spn", 61.2),
        ("dcsp_s1_0+crf", 56.0),
        ("em_adapt+crf", 38.2),
        ("mining_1", 56.1),  # the Relative rule's
    ],
)
def test_figures_are_those_of_the_papers(run, miou):
    assert PAPERS[run].all_classes == miou


def test_people_see_both_rules_and_no_figure_where_there_is_none():
    assert PAPERS["mining_1"].texts == ("56.3 / 56.1", "67.4 / 66.8")
    assert PAPERS["mining_0"].texts == ("53.5", "64.0")
    assert PAPERS["affinity_5_spn"].texts == ("62.0", "")


def test_no_figure_is_of_a_seed():
    assert [run for run in PAPERS if without_seed(run) != (run, 0)] == []
