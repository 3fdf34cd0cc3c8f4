# A proxy, metrics or log shipper: useless without the main container.
import http.server

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print("port", server.server_port, flush=True)
print("ready", flush=True)
server.serve_forever()
