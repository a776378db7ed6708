"""Stage `ingest`: read, check and pack a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wsss_core.ingest import ingest
from wsss_core.stage import InputError, bind, load_params, section
from wsss_core.stage.command import run


def main(*, settings: str, root: str, out: Path) -> None:
    """Read a data set's photos, tags, boxes and masks, check all of them and pack them into `out`.

    Args:
        settings: the row below `ingest:` in params.yaml.
        root: what stages/rows.yaml has for the first source; a dependency of this stage.
        out: folder of the data set.
    """
    where = f"ingest.{settings}"
    chosen = section(load_params(), where)
    first = next(iter(section(chosen, "sources").values()), None)
    if isinstance(first, Mapping) and first.get("root") != root:
        raise InputError(
            f"params.yaml: {where}: the root is {first.get('root')}, but {root} in stages/rows.yaml; run `wsss rows`"
        )
    bind(ingest, chosen, where, out=out, where=where)


if __name__ == "__main__":
    run(main, "ingest")
