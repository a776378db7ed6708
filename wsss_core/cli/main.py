"""The command `wsss`: start a project from a preset, write its wiring rows, run the demo; label pictures, export."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from wsss_core.cli.costs import costs
from wsss_core.cli.export import app as export
from wsss_core.cli.predict import predict
from wsss_core.cli.presets import EMBEDDED, PRESETS, init_project, write_rows
from wsss_core.stage import InputError, load_params, section

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def init(
    preset: Annotated[str, typer.Argument(help=f"one of {', '.join(PRESETS)}")],
    root: Annotated[
        Path | None, typer.Option(help="data set: VOC layout, COCO, or a folder of photos with labels.csv")
    ] = None,
    easy: Annotated[Path | None, typer.Option(help="further photos with one object each, tags only")] = None,
    saliency_pairs: Annotated[
        Path | None, typer.Option(help="photos with class-agnostic masks for the detector")
    ] = None,
    detector: Annotated[Path | None, typer.Option(help="instead: a folder of saliency maps or an .onnx file")] = None,
    second: Annotated[Path | None, typer.Option(help="a second data set to train on beside the first, for em")] = None,
    classes: Annotated[str | None, typer.Option(help="only these classes, separated by commas")] = None,
    methods: Annotated[
        str | None, typer.Option(help="mining, with any of crf, em, dcsp, affinity, combined: mining,em")
    ] = None,
    strong: Annotated[str | None, typer.Option(help="for em: numbers of images with masks, as 50,200,all")] = None,
    rounds: Annotated[int | None, typer.Option(help="EM iterations")] = None,
    steps: Annotated[int | None, typer.Option(help="steps T of affinity")] = None,
    seeds: Annotated[int | None, typer.Option(help="repetitions of every run")] = None,
    main_only: Annotated[bool, typer.Option(help="each method's main run, not what it is compared with")] = False,
    ablations: Annotated[bool, typer.Option(help="also the ablation rows")] = False,
    full: Annotated[bool, typer.Option(help="also a run on the true masks of the training images")] = False,
    force: Annotated[bool, typer.Option(help="replace an edited params.yaml")] = False,
) -> None:
    """Write params.yaml and stages/rows.yaml for a data set."""
    gone = init_project(
        preset,
        root=root,
        easy=easy,
        saliency_pairs=saliency_pairs,
        detector=detector,
        second=second,
        classes=_names(classes),
        options={
            "methods": _names(methods),
            "strong": _numbers(strong),
            "rounds": rounds,
            "steps": steps,
            "seeds": seeds,
            "main_only": main_only or None,
            "ablations": ablations or None,
            "full": full or None,
        },
        force=force,
    )
    _tell(gone)
    print("wrote params.yaml and stages/rows.yaml; now: dvc repro")


def _tell(removed: list[Path]) -> None:
    for path in removed:
        print(f"removed {path}: no row makes it any more")


def _names(text: str | None) -> list[str] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise InputError(f"{text!r}: a name is empty; separate names by one comma")
    return names


def _numbers(text: str | None) -> list[int | str] | None:
    names = _names(text)
    return None if names is None else [int(name) if name.isdecimal() else name for name in names]


@app.command()
def rows(
    methods: Annotated[
        str | None, typer.Option(help="mining, with any of crf, em, dcsp, affinity, combined: mining,em")
    ] = None,
    strong: Annotated[str | None, typer.Option(help="for em: numbers of images with masks, as 50,200,all")] = None,
    rounds: Annotated[int | None, typer.Option(help="EM iterations")] = None,
    steps: Annotated[int | None, typer.Option(help="steps T of affinity")] = None,
    seeds: Annotated[int | None, typer.Option(help="repetitions of every run")] = None,
    main_only: Annotated[bool | None, typer.Option(help="each method's main run, not what it is compared with")] = None,
    ablations: Annotated[bool | None, typer.Option(help="the ablation rows")] = None,
    full: Annotated[bool | None, typer.Option(help="a run on the true masks of the training images")] = None,
) -> None:
    """Write stages/rows.yaml anew from params.yaml, after changing its section `rows` or by these options."""
    options = {
        "methods": _names(methods),
        "strong": _numbers(strong),
        "rounds": rounds,
        "steps": steps,
        "seeds": seeds,
        "main_only": main_only,
        "ablations": ablations,
        "full": full,
    }
    _tell(write_rows(options))
    alone = " (each method's main run alone: rows.main_only)" * bool(section(load_params(), "rows").get("main_only"))
    print(f"wrote stages/rows.yaml{alone}; now: dvc repro")


@app.command()
def demo(
    all_: Annotated[bool, typer.Option("--all", help="all five methods, not mining pixels alone")] = False,
) -> None:
    """Run the whole graph on the embedded scenes and say where the report is."""
    params, wanted = load_params(), "tour" if all_ else "demo"
    preset = section(params, "rows").get("preset")
    if preset not in EMBEDDED or "make_scenes" not in params:
        raise InputError(
            f"params.yaml holds a project of your own (preset {preset!r}); run `dvc repro` for it, or "
            f"`wsss init {wanted} --force` to replace it"
        )
    if preset != wanted:
        _tell(init_project(wanted))
    here = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', '')}"}
    code = subprocess.call([str(here / "dvc"), "repro"], env=environment)
    if code:
        raise typer.Exit(code)
    print(f"\nThe report: {Path('reports/index.html').resolve()}")


app.command()(predict)
app.add_typer(export, name="export")
app.command()(costs)


def main() -> None:
    """Entry point: user errors end as one line on stderr and exit code 1."""
    try:
        app()
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
