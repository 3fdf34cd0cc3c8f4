"""An app with a sidecar, started in each of the ways: `app.py WAY [SETTINGS] [ARG]...`."""

import asyncio
import json
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading

import anchor

WAY = sys.argv[1]
SETTINGS = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "server.py")
COMMAND = [sys.executable, SERVER, *sys.argv[3:]]


def plainly():
    return anchor.Popen(COMMAND, **SETTINGS)


def forked():
    # A process that is only forked has what its maker had, and lives on.
    anchor.Popen(COMMAND, channel=True, **SETTINGS)
    pid = os.fork()
    if pid:
        print(f"forked {pid}", flush=True)


def thread():
    # The thread that starts it ends, and the app lives: the kernel's parent death signal would follow the thread.
    starter = threading.Thread(target=plainly)
    starter.start()
    starter.join()
    print("the thread has ended", flush=True)


async def with_asyncio_and_channel():
    fd = anchor.channel()
    await asyncio.create_subprocess_exec(*COMMAND, env=anchor.env(fd=fd, **SETTINGS), pass_fds=[fd])


async def with_asyncio():
    await asyncio.create_subprocess_exec(*COMMAND, env=anchor.env(**SETTINGS))


def serve():
    sys.argv = [SERVER]
    runpy.run_path(SERVER)


def process(method):
    os.environ.update(anchor.env(**SETTINGS))
    multiprocessing.get_context(method).Process(target=serve).start()


WAYS = {
    "unprotected": lambda: subprocess.Popen(COMMAND),
    "plainly": plainly,
    "session": lambda: anchor.Popen(COMMAND, start_new_session=True, **SETTINGS),
    "shell": lambda: anchor.Popen(f"'{sys.executable}' '{SERVER}'; true", shell=True, **SETTINGS),
    "own_env": lambda: anchor.Popen(COMMAND, env={"PATH": os.environ["PATH"]}, **SETTINGS),
    "bytes_env": lambda: anchor.Popen(COMMAND, env={b"PATH": os.environb[b"PATH"]}, **SETTINGS),
    "channel": lambda: anchor.Popen(COMMAND, channel=True, **SETTINGS),
    "forked": forked,
    "run": lambda: threading.Thread(
        target=lambda: subprocess.run(COMMAND, env=anchor.env(**SETTINGS)), daemon=True
    ).start(),
    "thread": thread,
    "asyncio": lambda: asyncio.run(with_asyncio()),
    "asyncio_and_channel": lambda: asyncio.run(with_asyncio_and_channel()),
    "spawn": lambda: process("spawn"),
    "forkserver": lambda: process("forkserver"),
}

if __name__ == "__main__":
    child = WAYS[WAY]()
    while True:
        signal.pause()
