"""A pipe whose hang-up is this process's end: one for all programs, for as long as this process lives.

It is not closed when a program has ended: what that has started may still have the other end, and would take the hang-up
for the anchor's death.
"""

from __future__ import annotations

import os
import threading
from typing import Any, List, Optional, Tuple

File = Tuple[int, int, int]

_lock = threading.Lock()
_ends: Optional[List[File]] = None


def channel() -> int:
    """The descriptor for the programs: what `env(fd=...)` and subprocess's `pass_fds` take. The other end stays open here
    until this process ends."""
    global _ends
    with _lock:
        # Who closes all descriptors (a daemon) has closed these too, and may have opened others there.
        if _ends is None or not all(map(_is_there, _ends)):
            _ends = [_file(end) for end in os.pipe()]
        return _ends[0][0]


def _file(number: int) -> File:
    found = os.fstat(number)
    return number, found.st_dev, found.st_ino


def _is_there(end: File) -> bool:
    try:
        return _file(end[0]) == end
    except OSError:
        return False


def _let_go() -> None:
    """A forked process is not the anchor, and may outlive it: it must not hold the pipe."""
    global _ends, _lock
    _lock = threading.Lock()
    for end in _ends or []:
        if _is_there(end):
            os.close(end[0])
    _ends = None


_at_fork: Any = getattr(os, "register_at_fork", None)
if _at_fork is not None:
    _at_fork(after_in_child=_let_go)
