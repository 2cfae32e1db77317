"""Memory that sessions have let go of, back to the system."""

import ctypes
import sys


def give_back() -> bool:
    """glibc keeps what was freed between other blocks: after some long recordings hundreds of megabytes. Some 20 ms, on any
    thread; False where the C library is another one."""
    if sys.platform != "linux":
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return False
    trim(0)
    return True
