# /// script
# requires-python = ">=3.9"
# dependencies = []
# ///
# A server in Python whose second thread, a watcher of files, say, keeps it running when its input ends.
import json
import sys
import threading
import time


def watch():
    while True:
        time.sleep(1)


threading.Thread(target=watch).start()
for line in sys.stdin:
    request = json.loads(line)
    if request["method"] == "initialize":
        result = {"protocolVersion": "2024-11-05", "capabilities": {}, "serverInfo": {"name": "notes", "version": "1"}}
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)
