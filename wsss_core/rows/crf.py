"""The rows of the CRF neighbourhood (Pandey & Dukkipati 2017): both forms of the neighbourhood, and the weights λ."""

from __future__ import annotations

from wsss_core.rows.em import em_row
from wsss_core.rows.kinds import Kinds
from wsss_core.rows.wiring import Wiring

# λ in percent; 0 is the run crf_none and 30 are the runs crf_mean and crf_exp.
SWEPT_WEIGHTS = (10, 20, 50, 100)


def crf_rows(wiring: Wiring) -> Kinds:
    """Without a neighbourhood and with either; the dense CRF's settings are searched on the main run."""
    rows = Kinds(main_runs={"CRF neighbourhood": ["crf_exp"]})
    settings = ["crf_exp"] if wiring.main_only else ["crf_none", "crf_mean", "crf_exp"]
    if wiring.ablations:
        settings += [f"crf_{form}_{weight}" for form in ("mean", "exp") for weight in SWEPT_WEIGHTS]
        settings.append("crf_joint")
    start = wiring.online_start(wiring.encoder)
    for s, how in wiring.repetitions():
        for name in settings:
            rows.em_runs[f"{name}{s}"] = em_row(name, start=start, seed=how["seed"])
    if not wiring.main_only:
        rows.crf_searches["crf_exp"] = {"segmenter": "segmenters/crf_exp"}
    return rows
