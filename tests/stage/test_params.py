"""A typo in params.yaml is one line that names the key."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from wsss_core.stage import InputError, bind, load_params, section


@dataclass(frozen=True)
class Inner:
    lr: float = 0.1


def stage(
    *,
    size: int,
    rate: float = 1.0,
    how: Literal["max", "mean"] = "max",
    sides: tuple[int, ...] = (),
    inner: Inner = Inner(),
    root: Path | None = None,
):
    return size, rate, how, sides, inner, root


def test_values_arrive_converted():
    got = bind(stage, {"size": 3, "rate": 2, "how": "mean", "sides": [1, 2], "inner": {"lr": 1}, "root": "a/b"}, "s")
    assert got == (3, 2.0, "mean", (1, 2), Inner(1.0), Path("a/b"))
    assert isinstance(got[1], float)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 1, "rat": 2}, r"params.yaml: s.rat: unknown key; did you mean rate\?"),
        ({}, "params.yaml: s.size: missing"),
        ({"size": "1"}, "params.yaml: s.size: expected a whole number, found '1'"),
        ({"size": True}, "s.size: expected a whole number, found True"),
        ({"size": 1.5}, "s.size: expected a whole number, found 1.5"),
        ({"size": 1, "how": "min"}, "s.how: 'min' is not one of 'max', 'mean'"),
        ({"size": 1, "sides": 3}, "s.sides: expected a list, found 3"),
        ({"size": 1, "sides": [1, "x"]}, r"s.sides\[1\]: expected a whole number, found 'x'"),
        ({"size": 1, "inner": {"l": 1}}, "s.inner.l: unknown key"),
        ({"size": 1, "inner": 3}, "s.inner: expected keys and values, found 3"),
    ],
)
def test_mistakes_name_the_key(settings, message):
    with pytest.raises(InputError, match=message):
        bind(stage, settings, "s")


def test_a_given_argument_is_no_key():
    with pytest.raises(InputError, match="s.size: unknown key"):
        bind(stage, {"size": 1}, "s", size=2)


def test_sections_are_found_or_named(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("train:\n  mining_1: {lr: 1e-3, on: yes}\nempty:\n")
    params = load_params(path)
    assert section(params, "train.mining_1") == {"lr": 0.001, "on": "yes"}
    assert section(params, "empty") == {}
    with pytest.raises(InputError, match=r"train.minning_1: no such section; did you mean train.mining_1\?"):
        section(params, "train.minning_1")


@pytest.mark.parametrize(("text", "message"), [("a: [", "not valid YAML"), ("- 1", "expected sections")])
def test_unreadable_files_are_named(tmp_path, text, message):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_params(path)
    with pytest.raises(InputError, match="no such file"):
        load_params(tmp_path / "none.yaml")
