"""Freed memory stays with the process."""

import subprocess
import sys

import pytest

PAGES = """
import resource, sys
import numpy as np
from wsss_core.stage.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
before = 0
for step in range(21):
    a = np.ones(5 << 20)  # 40 MiB, as one tensor after another
    if step == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    del a
    b = [np.ones(1 << 20) for _ in range(3)]
    del b
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts the page faults of glibc")
def test_memory_that_was_freed_is_used_again_without_new_pages():
    faults = {
        how: int(subprocess.run([sys.executable, "-c", PAGES, how], capture_output=True, text=True, check=True).stdout)
        for how in ("keep", "return")
    }
    assert faults["keep"] < faults["return"] / 2, faults
