# An app that starts it: subprocess.Popen, by its other name.
import os
import subprocess
import sys

import anchor

print("anchor", os.getpid(), flush=True)
server = anchor.Popen([sys.argv[1]], stdout=subprocess.PIPE, text=True)
print(server.stdout.readline(), end="")
print("ready", flush=True)
server.wait()
