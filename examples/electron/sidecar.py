# A server with a worker of its own.
import http.server
import subprocess

subprocess.Popen(["sleep", "1000"], start_new_session=True, stdout=subprocess.DEVNULL)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print(server.server_port, flush=True)
server.serve_forever()
