"""How numba's threads run here.

Numba's own first choice is GNU OpenMP: it aborts in a process forked after its first use (a data loader's worker) and
spins at every barrier, which on a machine with other work took ten times as long as the work queue. The work queue
must not be entered by two Python threads at once, hence the lock.
"""

import threading

from numba import config

if config.THREADING_LAYER == "default":  # type: ignore[attr-defined]  # an environment that names a layer keeps it
    config.THREADING_LAYER = "workqueue"  # type: ignore[attr-defined]

one_at_a_time = threading.Lock()
"""Held around every call of a parallel kernel."""
