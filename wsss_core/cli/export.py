"""The commands `wsss export …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from wsss_core.stage import InputError

app = typer.Typer(no_args_is_help=True, help="Write results in the form that others ask for, and check them.")

DatasetOption = Annotated[Path, typer.Option(help="the data set as `ingest` packed it")]
DATASET = Path("data/dataset")


@app.command("voc-server")
def voc_server(
    run: Annotated[str, typer.Argument(help="a run below data/predictions")],
    out: Annotated[Path | None, typer.Option(help="the archive; data/exports/RUN_COMP_SPLIT.tar.gz by default")] = None,
    crf: Annotated[bool, typer.Option("--crf", help="the labels after the dense CRF")] = False,
    split: Annotated[str, typer.Option(help="val or test")] = "val",
    comp: Annotated[str, typer.Option(help="comp5: trained on VOC alone, comp6: on anything")] = "comp6",
    dataset: DatasetOption = DATASET,
) -> None:
    """Pack a run's label maps for PASCAL VOC's evaluation server, and check the archive."""
    from wsss_core.export.voc_server import export_voc_server

    out = out or Path(f"data/exports/{run}{'+crf' if crf else ''}_{comp}_{split}.tar.gz")
    images = export_voc_server(run, out, dataset=dataset, crf=crf, split=split, comp=comp)
    print(f"wrote {out}: {images} images of {split}, checked")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="a .tar.gz of label maps")],
    dataset: DatasetOption = DATASET,
) -> None:
    """Check an archive for VOC's server: folder, palette, values, sizes, every image once, nothing else."""
    from wsss_core.data.dataset import Dataset
    from wsss_core.export.check import archive_problems

    problems = 0
    for problem in archive_problems(file, Dataset(dataset)):
        print(problem, file=sys.stderr)
        problems += 1
    if problems:
        raise InputError(
            f"{file}: {problems} problem{'s' if problems > 1 else ''}, named above; mend or export it again"
        )
    print(f"{file}: nothing wrong")
