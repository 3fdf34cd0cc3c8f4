"""Who a process is, so that another one that is given its number later is not taken for it."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from typing import Optional

from ._errors import NoSuchProcessError


def identity_of(pid: int) -> Optional[str]:
    """As ANCHOR_ID has it. None where it cannot be known, because there is no /proc, or it hides the process: the first
    host then writes down whom it finds."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        raise NoSuchProcessError(f"pid: {pid}: no such process") from None
    except PermissionError:
        pass
    return _mac(pid) if sys.platform == "darwin" else _linux(pid)


def _linux(pid: int) -> Optional[str]:
    """`<inode of the PID namespace>:<start in clock ticks>`."""
    # /proc has the numbers of the PID namespace that it was mounted for. Where that is not ours, it is about others.
    if _read("/proc/self/stat").split(b" ", 1)[0] != str(os.getpid()).encode():
        return None
    for line in _read(f"/proc/{pid}/status").splitlines():
        name, _, value = line.partition(b":\t")
        if name == b"Tgid" and value != str(pid).encode():
            raise NoSuchProcessError(f"pid: {pid}: a thread of process {value.decode()}")
    start = start_in(_read(f"/proc/{pid}/stat"))
    try:
        return start and f"{os.stat('/proc/self/ns/pid').st_ino}:{start}"
    except OSError:
        return None


def start_in(stat: bytes) -> Optional[str]:
    """Field 22 of proc_pid_stat(5). The name in field 2 may hold anything: fields are counted from its closing
    parenthesis."""
    fields = stat[stat.rfind(b")") + 2 :].split(b" ")
    return fields[22 - 3].decode() if len(fields) > 22 - 3 and fields[22 - 3].isdigit() else None


def _read(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError:
        return b""


# proc_bsdinfo of <sys/proc_info.h>: the start's two fields stand at the end.
LENGTH, START = 136, 120
PROC_PIDTBSDINFO = 3


def _mac(pid: int) -> Optional[str]:
    """`<seconds>.<microseconds>`, as the kernel wrote it down when the process was made."""
    answer = ctypes.create_string_buffer(LENGTH)
    try:
        # 1: zombies too.
        got = ctypes.CDLL(None).proc_pidinfo(pid, PROC_PIDTBSDINFO, ctypes.c_uint64(1), answer, LENGTH)
    except (AttributeError, OSError):
        return None
    return started(answer.raw) if got == LENGTH else None


def started(answer: bytes) -> str:
    seconds, microseconds = struct.unpack_from("=QQ", answer, START)
    return f"{seconds}.{microseconds:06}"
