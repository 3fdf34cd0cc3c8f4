# PostgreSQL and Redis for one test run. Nothing is registered, and no plugin needed: whatever ends pytest ends them.
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

# PostgreSQL does not run as root.
USER = "postgres" if os.geteuid() == 0 else None
BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path(shutil.which("postgres") or "").parent)


def start(*command):
    # SIGINT is PostgreSQL's "now, but properly"; at it Redis saves. Both look after what they start: only they are asked.
    words = ["anchored", "--signal", "INT", "--grace", "60s", "--scope", "self", *command]
    return subprocess.Popen(words, user=USER, start_new_session=True)


def wait_for(*command):
    deadline = time.monotonic() + 60
    while subprocess.run(command, user=USER, capture_output=True).returncode != 0:
        assert time.monotonic() < deadline, command
        time.sleep(0.05)


@pytest.fixture(scope="session")
def folder():
    folder = Path(tempfile.mkdtemp(prefix="servers-"))
    if USER:
        os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres(folder):
    subprocess.run([BIN / "initdb", "-D", folder / "db", "-A", "trust", "-N"], user=USER, check=True, capture_output=True)
    server = start(BIN / "postgres", "-D", folder / "db", "-k", folder, "-c", "listen_addresses=")
    wait_for(BIN / "psql", "-h", folder, "-d", "postgres", "-c", "select 1")
    yield f"host={folder} dbname=postgres"
    server.terminate()
    server.wait()


@pytest.fixture(scope="session")
def redis(folder):
    server = start("redis-server", "--port", "0", "--unixsocket", folder / "redis", "--dir", folder, "--save", "3600 1")
    wait_for("redis-cli", "-s", folder / "redis", "ping")
    yield folder / "redis"
    server.terminate()
    server.wait()
