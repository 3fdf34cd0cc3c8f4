"""A copy of the library by a path that can be preloaded, for where the package's own has a blank or a colon.

What is preloaded runs with all the rights of whoever runs it, so nobody but the user and root must be able to put other
bytes in its place. Places and rules are those of the launcher `anchored`, which finds these copies and makes the same.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import tempfile
from typing import Iterator, List

from ._errors import UnusablePathError

NAME = "libanchor"
OTHERS_WRITE = 0o022


def copied(data: bytes, file: str, separator: re.Pattern[str]) -> str:
    name = f"{NAME}-{hashlib.sha256(data).hexdigest()[:32]}{os.path.splitext(file)[1]}"
    reasons: List[str] = []
    for place in dict.fromkeys(_places()):
        try:
            return _placed(_folder_in(place, separator), name, data)
        except OSError as error:
            reasons.append(str(error))
    why = "; ".join(reasons) or "nobody says where the home is"
    raise UnusablePathError(f"{file}: a path with a blank or a colon cannot be preloaded, and a copy has no place: {why}")


def _places() -> Iterator[str]:
    """On macOS no cache, because caches are emptied, and dyld ends a program whose library is gone."""
    mac = sys.platform == "darwin"
    if not mac and os.path.isabs(os.environ.get("XDG_CACHE_HOME", "")):
        yield os.environ["XDG_CACHE_HOME"]
    for home in [os.environ.get("HOME", ""), _home()]:
        if os.path.isabs(home):
            yield os.path.join(home, *(["Library", "Application Support"] if mac else [".cache"]))


def _home() -> str:
    """The home that the user database has."""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return ""


def _folder_in(cache: str, separator: re.Pattern[str]) -> str:
    """The folder, made if it is not there, by a path without links.

    RACE: none is left to others. From the root on, each folder is looked at only after the one above it was found to be
    one in which others cannot change an entry that is not theirs.
    """
    there, missing = cache, [NAME]
    while not os.path.exists(there):
        # The cache folder is made too, a home is not.
        if len(missing) > 1:
            raise OSError(f"{there}: no such folder")
        there, name = os.path.split(there)
        missing.insert(0, name)
    there = os.path.realpath(there)
    # ORDER: what would be in vain is not begun.
    whole = os.path.join(there, *missing)
    if separator.search(whole):
        raise OSError(f"{whole}: a blank or a colon here too")
    above = [there]
    while os.path.dirname(above[0]) != above[0]:
        above.insert(0, os.path.dirname(above[0]))
    for folder in above:
        _look(folder)
    if os.statvfs(there).f_flag & getattr(os, "ST_NOEXEC", 0):
        raise OSError(f"{there}: on a file system that is mounted noexec")
    for name in missing:
        there = os.path.join(there, name)
        try:
            os.mkdir(there, 0o700)
        except FileExistsError:
            pass
        _look(there)
    found = os.lstat(there)
    if found.st_uid != os.geteuid():
        raise OSError(f"{there}: belongs to user {found.st_uid}")
    if found.st_mode & OTHERS_WRITE:
        raise OSError(f"{there}: others can write to it")
    return there


def _look(folder: str) -> None:
    """That others can change no entry of this folder but their own."""
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode):
        raise OSError(f"{folder}: not a folder")
    if found.st_uid not in (os.geteuid(), 0):
        raise OSError(f"{folder}: belongs to user {found.st_uid}")
    # Sticky: nobody but an entry's owner, and the folder's, may rename or remove the entry, inode(7).
    if found.st_mode & OTHERS_WRITE and not found.st_mode & stat.S_ISVTX:
        raise OSError(f"{folder}: others can write to it")


def _placed(folder: str, name: str, data: bytes) -> str:
    """The file of this name with these bytes: used if it is that, else put there.

    RACE: two first starts each write a file of their own and rename it; whoever opens the name finds a whole one.
    """
    file = os.path.join(folder, name)
    if _has(file, data):
        return file
    descriptor, draft = tempfile.mkstemp(prefix=f".{NAME}-", dir=folder)
    try:
        with open(descriptor, "wb") as opened:
            opened.write(data)
            os.fchmod(descriptor, 0o400)
        os.rename(draft, file)
    except BaseException:
        os.unlink(draft)
        raise
    if not _has(file, data):
        raise OSError(f"{file}: is not what was written to it")
    return file


def _has(file: str, data: bytes) -> bool:
    """Whether it is a file of this user's, that nobody else can write to, with these bytes. A FIFO is opened at once, and
    then found to be one."""
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
            found = os.fstat(opened.fileno())
            ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & OTHERS_WRITE
            return ours and found.st_size == len(data) and opened.read() == data
    except OSError:
        return False
