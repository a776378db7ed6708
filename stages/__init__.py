"""The stages of the graph, one script each.

Threads of GNU OpenMP, torch's on a CPU, spin for milliseconds before they sleep. Where two stages share the cores, each
then waits for threads that do not run: two trainings at once took four times as long as one after the other
(docs/benchmarks.md). The library reads the variable when torch loads it, so it is set before any import.
"""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "3000")
