# An agent's harness, as it is without libanchor: it starts the servers of mcp.json and speaks to them.
import json
import os
import subprocess
import time

print("anchor", os.getpid(), flush=True)
with open("mcp.json") as file:
    servers = json.load(file)["mcpServers"]
running = {
    name: subprocess.Popen([server["command"], *server["args"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for name, server in servers.items()
}
hello = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "harness", "version": "1"}},
}
for name, server in running.items():
    print(json.dumps(hello), file=server.stdin, flush=True)
    answer = json.loads(server.stdout.readline())
    assert answer["result"]["serverInfo"]["name"] == name, answer
print("ready", flush=True)
while True:
    time.sleep(1000)
