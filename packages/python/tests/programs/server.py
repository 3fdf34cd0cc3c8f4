"""A sidecar: a server that says who it is, and what it is asked to end with. With `deaf` it does not listen to that."""

import http.server
import os
import signal
import sys


def asked(number, _):
    os.write(1, b"asked %s\n" % signal.Signals(number).name.encode())
    if "deaf" not in sys.argv:
        os._exit(0)


for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2):
    signal.signal(number, asked)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
os.write(1, b"ready %d %d\n" % (os.getpid(), server.server_port))
server.serve_forever()
