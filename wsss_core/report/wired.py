"""What the wiring rows say there is to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsss_core.stage import load_params, section

Rows = Mapping[str, Any]


@dataclass(frozen=True)
class Wired:
    """`stages/rows.yaml` as the report sees it; what it does not name is not shown.

    Attributes:
        evaluations: kind and store, by name.
        runs: networks that label photos, all seeds.
        em_runs: of online EM, with their numbers of masks.
        networks: all segmentation networks and propagations, with what each starts from.
        chains: by method and seed, what was evaluated of every step.
        combined: by combination, its networks and what each does.
        main: by method, the networks of its main run in the order of their training.
        panels: title and store of every picture below the sliders.
        searches: runs whose dense CRF was searched.
    """

    evaluations: Rows
    runs: list[str]
    em_runs: Rows
    networks: Rows
    chains: Rows
    combined: Rows
    main: Rows
    panels: list[dict[str, str]]
    searches: list[str]

    @staticmethod
    def read(path: Path) -> Wired:
        """Read the rows.

        Raises:
            InputError: no such file, or a kind of rows is missing.
        """
        wiring = load_params(path)
        kinds = ("evaluations", "segmenters", "runs", "em_runs", "affinities", "chains", "combined", "main_runs")
        rows = {kind: section(wiring, kind, path=path) for kind in (*kinds, "crf_searches")}
        return Wired(
            evaluations=rows["evaluations"],
            runs=list(rows["segmenters"]),
            em_runs=rows["em_runs"],
            networks=rows["runs"] | rows["em_runs"] | rows["affinities"],
            chains=rows["chains"],
            combined=rows["combined"],
            main=rows["main_runs"],
            panels=wiring["panels"],
            searches=list(rows["crf_searches"]),
        )

    @property
    def shown(self) -> list[str]:
        """The stores of the panels."""
        return [panel["store"] for panel in self.panels]
