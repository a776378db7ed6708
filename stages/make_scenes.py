"""Stage `make_scenes`: draw the embedded data set."""

from __future__ import annotations

from pathlib import Path

from wsss_core.scenes import make_scenes
from wsss_core.stage import bind, load_params, section
from wsss_core.stage.command import run


def main(*, out: Path) -> None:
    """Draw labelled scenes, easy single objects and saliency pairs into `out`.

    Args:
        out: folder of the data set, in the layouts that `ingest` reads.
    """
    where = "make_scenes"
    bind(make_scenes, section(load_params(), where), where, out=out)


if __name__ == "__main__":
    run(main, "make_scenes")
