"""All benchmarks in one command: `make bench`. Prints Markdown tables; copy them into docs/benchmarks.md."""

from __future__ import annotations

import platform

import torch

from benchmarks.neighbourhood import neighbourhood_table
from benchmarks.propagation import propagation_table
from benchmarks.stages import stage_table
from benchmarks.stores import store_table
from benchmarks.training import training_table


def main() -> None:
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}\n")
    for title, table in (
        ("Stores against one npy file per image", store_table),
        ("Training step", training_table),
        ("Neighbourhood KL", neighbourhood_table),
        ("Spatial propagation", propagation_table),
        ("Stages at 300 and 1,200 images", stage_table),
    ):
        print(f"## {title}\n\n{table()}\n", flush=True)


if __name__ == "__main__":
    main()
