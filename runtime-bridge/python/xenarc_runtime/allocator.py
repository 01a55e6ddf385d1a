"""The C library's memory allocator, told to keep what XLA:CPU takes for every step.

XLA:CPU allocates a program's temporaries anew at each run. By default glibc maps such large pieces and gives them back at
once, so that every step faults all its pages in again: measured on the `nanogpt-cpu` step, a third of its time.
"""

from __future__ import annotations

import ctypes
import os
import sys

# <malloc.h>: the size from which memory is mapped apart, and the free memory kept at the top of the heap.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
# An int in C. Larger pieces are mapped as before: their page faults weigh little against the work on them.
_KEEP = 2**31 - 1


def keep_memory() -> None:
    """Keeps freed memory for the next step; does nothing where the C library is not glibc or the user set it up."""
    if not sys.platform.startswith("linux") or any(name.startswith("MALLOC_") for name in os.environ):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_M_MMAP_THRESHOLD, 1 << 30)
    mallopt(_M_TRIM_THRESHOLD, _KEEP)
