"""How this process's memory is handed out.

Every training step allocates and frees the same large tensors. The C library gives such memory back to the system at
once and asks for it again, a page fault per 4 KiB, a fifth of a training's time on a CPU.
"""

from __future__ import annotations

import ctypes

# Keys of mallopt(3), glibc's malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> None:
    """Let freed memory stay with the process, to be used again; without glibc, do nothing."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_THRESHOLD, 32 << 20)  # the most that it takes
    mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
    mallopt(M_TOP_PAD, 256 << 20)
