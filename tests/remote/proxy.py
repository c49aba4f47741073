"""An HTTP proxy on the loopback between takd and a server, which can be made to misbehave."""

import http.client
import http.server
import socket
import threading
import time


class Proxy:
    """Passes requests on to `port`. What is asked for and answered is counted.

    status: answers PUTs of objects so and passes none on, but those of `spared` folders
    slow: seconds that each PUT of a file takes
    """

    def __init__(self, port):
        self.port, self.status, self.spared, self.slow = port, None, (), 0
        self.requests, self.refused = [], 0
        self.server = None
        # moto looks at a condition and puts in two steps; S3 does it in one.
        self.turn = threading.Lock()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.own = free.getsockname()[1]
        self.up()

    def up(self):
        """Takes connections."""
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def passed(self):
                proxy.passed(self)

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = passed

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, block_on_close, allow_reuse_address = True, False, True
            connections = set()

            def process_request(self, request, address):
                self.connections.add(request)
                super().process_request(request, address)

        self.server = Server(("127.0.0.1", self.own), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self):
        """Refuses connections, and cuts those that there are."""
        server, self.server = self.server, None
        server.shutdown()
        server.server_close()
        for connection in server.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def passed(self, request):
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        self.requests.append((request.command, request.path))
        is_file = request.command == "PUT" and "/files/" in request.path
        if is_file and self.slow:
            time.sleep(self.slow)
        is_spared = any(f"/{folder}/" in request.path for folder in self.spared)
        if self.status and request.command == "PUT" and not is_spared:
            self.refused += 1
            self.answer(request, self.status, [], b"<Error><Code>No</Code><Message>no</Message></Error>")
            return
        with self.turn:
            self.forward(request, body)

    def forward(self, request, body):
        onward = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "connection"}
        onward.request(request.command, request.path, body, headers)
        answer = onward.getresponse()
        content = answer.read()
        own = ("transfer-encoding", "connection", "content-length", "date", "server")
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in own]
        length = answer.getheader("content-length") if request.command == "HEAD" else None
        self.answer(request, answer.status, kept, content, length)
        onward.close()

    def answer(self, request, status, headers, content, length=None):
        try:
            request.send_response(status)
            for name, value in headers:
                request.send_header(name, value)
            request.send_header("Content-Length", length or str(len(content)))
            request.end_headers()
            request.wfile.write(content)
        except OSError:
            # Who asked was killed.
            request.close_connection = True

    def count(self, command, folder):
        return sum(1 for asked, path in self.requests if asked == command and f"/{folder}/" in path)
