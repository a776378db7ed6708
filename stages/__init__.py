"""The stages of the graph, one script each.

The libraries read their threads' settings when they are loaded, so these are made before any import. Threads of GNU
OpenMP, torch's on a CPU, spin for milliseconds before they sleep: where two stages share the cores, each waits for
threads that do not run, and two trainings at once took four times as long as one after the other (docs/benchmarks.md).
Numba does not know OMP_NUM_THREADS; here it has as many threads as torch.
"""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "3000")
if "OMP_NUM_THREADS" in os.environ:
    os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"].split(",")[0])
