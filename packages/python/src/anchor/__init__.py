"""Starts programs that end when this process, or another, dies.

>>> import anchor
>>> server = anchor.Popen(["./server", "--port", "8080"], grace=5)

anchor.env() is the environment of such a program, for whoever starts it otherwise.
"""

from ._channel import channel
from ._environment import env
from ._errors import (
    AnchorError,
    InvalidValueError,
    LibraryNotFoundError,
    NoSuchProcessError,
    UnsupportedPlatformError,
    UnusablePathError,
)
from ._popen import Popen
from ._settings import Settings

__all__ = [
    "AnchorError",
    "InvalidValueError",
    "LibraryNotFoundError",
    "NoSuchProcessError",
    "Popen",
    "Settings",
    "UnsupportedPlatformError",
    "UnusablePathError",
    "channel",
    "env",
]
