"""Trees of real processes, and how their end is seen: every process of a tree writes to one pipe, and its end is theirs.

Nothing sleeps; what is waited for is an event, with one generous ceiling.
"""

import os
import re
import select
import signal
import subprocess
import sys
import time
import unittest
import urllib.request

CEILING = 60
HERE = os.path.dirname(os.path.abspath(__file__))
PRELOAD = "DYLD_INSERT_LIBRARIES" if sys.platform == "darwin" else "LD_PRELOAD"


def clean(**more):
    """The environment without any trace of an anchor."""
    ours = ("ANCHOR_", "LD_PRELOAD", "DYLD_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


class Tree:
    """test -> COMMAND (anchor) -> sidecars, all of which have the pipe as their stdout."""

    def __init__(self, test, command, **options):
        self.anchor = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=clean(), **options)
        self.text = ""
        self.over = False
        self.sidecars = []
        test.addCleanup(self._clean)

    def says(self, pattern):
        """What the pattern finds in what the tree says, as soon as it is there."""
        while not re.search(pattern, self.text, re.M):
            if not self._hear():
                raise AssertionError(f"ended without {pattern}: {self.text}")
        return re.search(pattern, self.text, re.M)

    def ready(self):
        """The sidecar is ready: `ready PID PORT`."""
        pid, port = map(int, self.says(r"^ready (\d+) (\d+)$").groups())
        self.sidecars.append(pid)
        return pid, port

    def kill_anchor(self):
        """Whatever ends it: no handler of its own runs."""
        self.anchor.kill()
        self.anchor.wait(CEILING)

    def gone(self):
        while self._hear():
            pass

    def _hear(self):
        output = self.anchor.stdout
        deadline = time.monotonic() + CEILING
        if not select.select([output], [], [], max(0, deadline - time.monotonic()))[0]:
            raise AssertionError(f"waited too long: {self.text}")
        data = os.read(output.fileno(), 4096)
        self.over = not data
        self.text += data.decode()
        return bool(data)

    def _clean(self):
        self.anchor.kill()
        self.anchor.wait()
        # Only what still holds the pipe can be alive, so no number is another's.
        for pid in [] if self.over else self.sidecars:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.anchor.stdout.close()


def answers(port):
    """An answer proves that the server lives."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=CEILING) as answer:
        return answer.status


def run(command, **options):
    options.setdefault("env", clean())
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CEILING, **options)


__all__ = ["CEILING", "HERE", "PRELOAD", "Tree", "answers", "clean", "run", "unittest"]
