"""The slider of the report goes through all cues and masks of seed 0."""

from pathlib import Path

from wsss_core.cli.presets import init_project
from wsss_core.rows.graph import make_rows
from wsss_core.stage import load_params

METHODS = ["mining", "crf", "em", "dcsp", "affinity", "combined"]


def stores(rows: dict, *beginnings: str) -> list[str]:
    return [panel["store"] for panel in rows["panels"] if panel["store"].startswith(beginnings)]


def rows_of(**options) -> dict:
    init_project("demo", options={"methods": METHODS, **options})
    return make_rows(load_params())


def test_every_adapting_and_every_walk_is_shown(project):
    rows = rows_of(ablations=True, steps=3)
    assert stores(rows, "posteriors/dcsp", "predictions/dcsp") == [
        "predictions/dcsp_0",
        *("posteriors/dcsp_1", "predictions/dcsp_1"),
        *("posteriors/dcsp_2", "predictions/dcsp_2"),
    ]
    assert stores(rows, "walks/", "cues/psa") == [
        *("walks/psa_1", "cues/psa_1"),
        *("walks/psa_2", "cues/psa_2"),
        *("walks/psa_3", "cues/psa_3"),
    ]
    assert rows["wiring"]["walks"] == "data/walks"


def test_a_combination_shows_what_each_network_learns_from(project):
    init_project("demo", options={"methods": METHODS, "seeds": 2})
    params = load_params()
    then = ["class_restricted", "regions", "class_restricted", "regions"]
    params["combinations"] = {"mine": {"cues": "cam", "settings": "mining_1", "then": then}}
    assert stores(
        make_rows(params), *(f"{kind}/mine" for kind in ("posteriors", "predictions", "regions", "refined"))
    ) == [
        "predictions/mine_0",
        *("posteriors/mine_1", "posteriors/mine_1_own", "predictions/mine_1", "regions/mine_1"),
        *("refined/mine_1", "predictions/mine_1_spn", "predictions/mine_2"),
        *("posteriors/mine_3", "posteriors/mine_3_own", "predictions/mine_3", "regions/mine_3"),
        "predictions/mine_3_spn",  # the last one refines no training image
    ]


def test_only_seed_0_is_shown_and_every_mined_cue(project):
    one, three = rows_of(ablations=True), rows_of(ablations=True, seeds=3)
    assert {"psa_2_s1", "psa_2_s2"} <= set(three["cues"])
    assert three["panels"] == one["panels"]
    assert [f"cues/{name}" for name in one["cues"]] == stores(one, "cues/")


def test_every_panel_is_of_a_store_that_is_made_and_none_comes_twice(project):
    for options in ({}, {"ablations": True}, {"main_only": True}):
        rows = rows_of(**options)
        scored = {row["store"] for row in rows["evaluations"].values()}
        shown = stores(rows, "")
        assert set(shown) <= scored and len(set(shown)) == len(shown)
        assert len(shown) > 30 or "main_only" in options
        Path("params.yaml").unlink()


def test_what_mining_shows_is_unchanged_without_other_methods(project):
    rows = rows_of(methods=["mining"], rounds=1)
    assert [panel["title"] for panel in rows["panels"]][-3:] == ["initial model", "EM 1 posterior", "EM 1"]
