"""What can go wrong before a program is started."""


class AnchorError(Exception):
    """What is raised before a program is started."""


class InvalidValueError(AnchorError, ValueError):
    """An option has a value that it does not take."""

    def __init__(self, option: str, value: object, accepts: str) -> None:
        shown = value if isinstance(value, str) else repr(value)
        super().__init__(f"{option}: {shown}: want {accepts}")


class LibraryNotFoundError(AnchorError, FileNotFoundError):
    """The library is not where it should be: a bundle or an archive has left it behind."""


class NoSuchProcessError(AnchorError, ProcessLookupError):
    """Nobody has this process id, or a thread has."""


class UnsupportedPlatformError(AnchorError):
    """There is no library for this platform."""


class UnusablePathError(AnchorError):
    """The library's path cannot be preloaded, and a copy of it has no place."""
