"""Where the library is, and what the dynamic loader is told of it."""

from __future__ import annotations

import os
import platform
import re
import sys
from typing import Optional, Union

from ._copy import copied
from ._errors import LibraryNotFoundError, UnsupportedPlatformError
from ._platform import PLATFORM

MAC = sys.platform == "darwin"
FILE = "libanchor.dylib" if MAC else "libanchor.so"
PRELOAD = "DYLD_INSERT_LIBRARIES" if MAC else "LD_PRELOAD"
# What stands between the variable's entries, ld.so(8), dyld(1): there is no escape, so it cannot be in a path.
SEPARATOR = re.compile(":" if MAC else r"[ \t\n\f\r:]")
COPY = re.compile(r"libanchor(-[0-9A-Fa-f]{32})?\.(so|dylib)")


def find(named: Union[str, os.PathLike[str], None] = None) -> str:
    """The library for this platform, by a path that can be preloaded."""
    file = os.path.realpath(_of_package() if named is None else _existing(os.fspath(named)))
    if not SEPARATOR.search(file):
        return file
    with open(file, "rb") as opened:
        return copied(opened.read(), file, SEPARATOR)


def _of_package() -> str:
    if PLATFORM is None or PLATFORM.split("-")[0] != sys.platform:
        raise UnsupportedPlatformError(f"{sys.platform}-{platform.machine()}: libanchor has no library for it")
    file = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib", FILE)
    if not os.path.isfile(file):
        advice = "an archive or a bundle must have it as a file (PyInstaller: --collect-data anchor), or library names it"
        raise LibraryNotFoundError(f"{file}: no such file: {advice}")
    return file


def _existing(file: str) -> str:
    if not os.path.isfile(file):
        raise LibraryNotFoundError(f"library: {file}: no such file")
    return file


def appended(before: Optional[str], library: str) -> str:
    """The variable's value with this library in it: what was there keeps its place. Another copy of the library leaves
    its place to this one: each would watch."""
    entries = []
    for entry in SEPARATOR.split(before or ""):
        if not COPY.fullmatch(os.path.basename(entry)):
            entries.append(entry)
        elif library not in entries:
            entries.append(library)
    if library not in entries:
        entries.append(library)
    return ":".join(filter(None, entries))
