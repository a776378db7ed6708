"""The command `wsss predict`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from wsss_core.stage import InputError, bind, load_params, section
from wsss_core.stage.params import PARAMS_FILE


def predict(
    run: Annotated[str, typer.Argument(help="a run below data/segmenters, or the folder of a saved network")],
    folder: Annotated[Path, typer.Argument(help="pictures; subfolders are not searched")],
    out: Annotated[
        Path | None,
        typer.Option(help="a new folder for labels, overlays, classes.json; data/exports/RUN_FOLDER by default"),
    ] = None,
    size: Annotated[int | None, typer.Option(help="long side for the network; budget.size by default")] = None,
    scales: Annotated[
        str | None, typer.Option(help="factors on the size, as 1,0.75,0.5; predict.scales by default")
    ] = None,
    crf: Annotated[bool, typer.Option("--crf", help="a dense CRF after the network, set by predict.crf")] = False,
) -> None:
    """Label the pictures of a folder with a trained network, at the test time of the section `predict`."""
    params = load_params() if PARAMS_FILE.is_file() else {}
    size = _size(params) if size is None else size
    factors = None if scales is None else _scales(scales)
    from wsss_core.crf import DenseCRF
    from wsss_core.export.predict import find_network, predict_folder
    from wsss_core.models.prediction import Prediction

    how = bind(Prediction, section(params, "predict"), "predict") if "predict" in params else Prediction()
    how = replace(how, scales=factors or how.scales, crf=(how.crf or DenseCRF()) if crf else None)
    network = find_network(run)
    out = Path(f"data/exports/{network.resolve().name}_{folder.resolve().name}") if out is None else out
    pictures = predict_folder(network, folder, out, size=size, how=how)
    print(f"labelled {pictures} picture{'s' if pictures > 1 else ''}: {out}")


def _size(params: dict[str, Any]) -> int:
    from wsss_core.data.budget import Budget

    if "budget" not in params:
        raise InputError(f"{PARAMS_FILE}: no section budget here; give --size, the long side of a picture in pixels")
    return bind(Budget, section(params, "budget"), "budget").size


def _scales(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--scales {text}: expected numbers separated by commas, as 1,0.75,0.5") from None
