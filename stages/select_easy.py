"""Which images are easy, with each image's figures and the reason of its rejection."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.progress import track

from wsss_core.cues.easy import EasyRule, easy_figures, reason, rejections
from wsss_core.cues.pair import paired_images, read_pair
from wsss_core.stage import bind, load_params, section, whole_folder
from wsss_core.stage.command import run
from wsss_core.stores import open_store

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SelectEasy(EasyRule):
    """Section `select_easy`: the rule, and the splits it judges (all where left out)."""

    splits: tuple[str, ...] | None = None


def main(*, saliency: Path, attention: Path, out: Path) -> None:
    rule = bind(SelectEasy, section(load_params(), "select_easy"), "select_easy")
    salient, attended = open_store(saliency), open_store(attention)
    images = paired_images(salient, attended, rule.splits)
    figures = [easy_figures(*read_pair(salient, attended, i, step=1)) for i in track(images["image_id"], str(out))]
    reasons = [reason(f, rule) for f in figures]
    judged = images[["image_id", "split"]].join(pd.DataFrame(figures))
    judged = judged.assign(easy=[not text for text in reasons], reason=reasons)
    metrics = summary(judged, images["class_ids"], attended.meaning["classes"])
    LOG.info("%d of %d images are easy; rejected by %s", metrics["easy"], metrics["images"], metrics["rejected"])
    if bare := [name for name, count in metrics["per_class"].items() if not count]:
        LOG.warning("no easy image shows %s; relax select_easy in params.yaml or add photos of them", ", ".join(bare))
    with whole_folder(out) as folder:
        judged.to_parquet(folder / "index.parquet", index=False)
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")


def summary(judged: pd.DataFrame, class_ids: pd.Series, classes: list[str]) -> dict[str, Any]:
    """How many images there are, are easy, show each class and are easy, and were turned away by each key."""
    shown = class_ids[judged["easy"]].explode()
    return {
        "images": len(judged),
        "easy": int(judged["easy"].sum()),
        "per_class": {name: int((shown == i).sum()) for i, name in enumerate(classes) if i},
        "rejected": rejections(judged["reason"]),
    }


if __name__ == "__main__":
    run(main, "select_easy")
