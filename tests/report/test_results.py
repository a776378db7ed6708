import pytest

from wsss_core.report.results import read_evaluations, read_figures
from wsss_core.stage import InputError


def test_what_has_not_run_yet_is_empty(tmp_path):
    (found,) = read_evaluations({"mining_0": {"kind": "runs", "store": "predictions/mining_0"}}, tmp_path)
    assert (found.name, found.kind, found.splits) == ("mining_0", "runs", {})


@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_a_damaged_evaluation_names_its_file(tmp_path, text):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/one.json").write_text(text)
    with pytest.raises(InputError, match=r"runs/one\.json: damaged"):
        read_evaluations({"one": {"kind": "runs"}}, tmp_path)


def test_figures_are_flat_texts(tmp_path):
    (tmp_path / "metrics.json").write_text('{"images": 887, "rejected": {"area": 101}, "mae": 0.0731234}')
    found = read_figures({"Easy": tmp_path, "None": tmp_path / "absent"})
    assert found == {"Easy": {"images": "887", "rejected.area": "101", "mae": "0.07312"}}


def test_damaged_figures_name_their_file(tmp_path):
    (tmp_path / "metrics.json").write_text("[1]")
    with pytest.raises(InputError, match=r"metrics\.json: damaged"):
        read_figures({"Easy": tmp_path})
