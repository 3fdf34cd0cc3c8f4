"""host.py SOCKET WAY ANCHOR SECONDS: a sidecar as they are written today, a thread of which looks whether its anchor
still lives. WAY: kill, psutil, or none, which is the control. For the rest it is host.c."""

import os
import signal
import socket
import sys
import threading
import time

path, way, anchor, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
if way == "psutil":
    import psutil


def by_signal():
    try:
        os.kill(anchor, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def watch(lives):
    while lives():
        time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGTERM)


port = socket.create_server(("127.0.0.1", 0), backlog=4096)
if way != "none":
    lives = psutil.Process(anchor).is_running if way == "psutil" else by_signal
    threading.Thread(target=watch, args=(lives,), daemon=True).start()
line = socket.socket(socket.AF_UNIX)
line.connect(path)
line.sendall(b"%d\n" % port.getsockname()[1])
while line.recv(1):
    pass
