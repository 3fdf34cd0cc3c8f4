"""Who a process is, so that another one that is given its number later is not taken for it."""

from __future__ import annotations

import ctypes
import os
import select
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
    """`<inode of the PID namespace>:<start in clock ticks>`, and `:<inode of its pidfd>` where each has one of its own."""
    # /proc has the numbers of the PID namespace that it was mounted for. Where that is not ours, it is about others.
    if _read("/proc/self/stat").split(b" ", 1)[0] != str(os.getpid()).encode():
        return None
    # ORDER: before the rest is read, and asked again after it: then all of it is one process's.
    pinned = _pidfd(pid)
    try:
        return _numbers(pid, pinned)
    finally:
        if pinned is not None:
            os.close(pinned)


def _numbers(pid: int, pinned: Optional[int]) -> Optional[str]:
    for line in _read(f"/proc/{pid}/status").splitlines():
        name, _, value = line.partition(b":\t")
        if name == b"Tgid" and value != str(pid).encode():
            raise NoSuchProcessError(f"pid: {pid}: a thread of process {value.decode()}")
    start = start_in(_read(f"/proc/{pid}/stat"))
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return None
    mark = "" if pinned is None else _mark(pinned)
    return start and f"{namespace}:{start}{mark}"


def _pidfd(pid: int) -> Optional[int]:
    """A handle of the process, pidfd_open(2), where the kernel and Python (3.9) have one."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _mark(pinned: int) -> str:
    """What no other process since the machine was started has. Nothing of a process that is dead by now, and before Linux
    6.9, where all handles share one inode with every other that is of no file system."""
    try:
        with select.epoll() as other:
            shared = os.fstat(pinned).st_dev == os.fstat(other.fileno()).st_dev
    except OSError:
        return ""
    ended = select.poll()
    ended.register(pinned, select.POLLIN)
    return "" if shared or ended.poll(0) else f":{os.fstat(pinned).st_ino}"


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
