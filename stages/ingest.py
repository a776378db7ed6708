"""Stage `ingest`: read, check and pack a data set."""

from __future__ import annotations

from pathlib import Path

from wsss_core.ingest import ingest
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run


def main(*, settings: str, out: Path) -> None:
    """Read a data set's photos, tags, boxes and masks, check all of them and pack them into `out`.

    Args:
        settings: the row below `ingest:` in params.yaml.
        out: folder of the data set.
    """
    where = f"ingest.{settings}"
    bind(ingest, section(load_params(), where), where, out=out, where=where)


if __name__ == "__main__":
    run(main, "ingest")
