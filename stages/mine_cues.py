"""Pixel labels mined from saliency and attention, by the rule that the section names."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wsss_core.cues.easy import rejections
from wsss_core.cues.mining import label_shares
from wsss_core.cues.pair import paired_images, read_pair
from wsss_core.cues.plan import Plan, read_plan
from wsss_core.data.dataset import Dataset
from wsss_core.stage import InputError, load_params, section
from wsss_core.stage.command import run
from wsss_core.stores import ArraySpec, Store, fingerprint, open_store, padded, write_store

NO_PHOTO = np.empty((0, 0, 3), np.uint8)


def main(*, settings: str, dataset: Path, saliency: Path, attention: Path, easy: Path, out: Path) -> None:
    where = f"mine_cues.{settings}"
    chosen = section(load_params(), where)
    plan = read_plan(chosen, where)
    salient, attended = open_store(saliency), open_store(attention)
    steps = salient.arrays["saliency"].shape[1]
    step = steps if plan.step is None else plan.step
    if not 1 <= step <= steps:
        raise InputError(f"params.yaml: {where}.step: {step}, but {saliency} has steps 1 to {steps}")
    table = choose_images(plan, salient, attended, easy)
    photos = Dataset(dataset) if plan.needs_photo else None

    def compute(rows: pd.DataFrame) -> tuple[dict[str, list[NDArray]], list[dict[str, float]]]:
        maps = (read_pair(salient, attended, image_id, step=step) for image_id in rows["image_id"])
        pictures = photos.photos(rows["dataset_row"].tolist()) if photos is not None else [NO_PHOTO] * len(rows)
        labels = [
            plan.mine(s, a, list(ids), photo)
            for (s, a), ids, photo in zip(maps, rows["class_ids"], pictures, strict=True)
        ]
        return {"labels": labels}, [label_shares(mined) for mined in labels]

    write_store(
        out,
        compute,
        table=table,
        arrays={"labels": ArraySpec.labels(padded(table, "y", "x"))},
        key=fingerprint(chosen, *([] if photos is None else [dataset / "photos"]), saliency, attention, easy),
        attributes={"classes": attended.meaning["classes"]},
    )


def choose_images(plan: Plan, salient: Store, attended: Store, easy: Path) -> pd.DataFrame:
    """The images to mine, in the attention's order."""
    table = paired_images(salient, attended, plan.splits)
    if plan.images == "all":
        return table
    if not (easy / "index.parquet").is_file():
        raise InputError(f"{easy}: no index.parquet here; run the stage select_easy")
    judged = pd.read_parquet(easy / "index.parquet")
    chosen = table[table["image_id"].isin(judged["image_id"][judged["easy"]])]
    if chosen.empty:
        why = rejections(judged["reason"][judged["image_id"].isin(table["image_id"])])
        keys = ", ".join(f"{key} ({count} images)" for key, count in why.items()) or "splits"
        raise InputError(f"{easy}: none of {len(table)} images is easy; relax in params.yaml select_easy: {keys}")
    return chosen


if __name__ == "__main__":
    run(main, "mine_cues")
