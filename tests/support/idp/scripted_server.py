#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTP server on loopback that answers as it is told, for what no real provider can be made to do.

The first line on stdout is {"port": N}. Each line on stdin is a command and gets one line back:
  {"set": "/token", "replies": [{"status": 400, "body": "..."}, ...]}   the last one repeats
  {"requests": "/token"}   what came: [{"method", "headers", "body"}]
A reply may have "headers", "padding" (that many "A" where the body says @PAD@), "hang" (seconds of
silence first) and "truncate" (half of the body, then the connection closes). It ends with its stdin.
"""
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lock = threading.Lock()
replies = {}
requests = {}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        with lock:
            seen = requests.setdefault(self.path, [])
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.append({"method": self.command, "headers": headers, "body": body})
            scripted = replies.get(self.path, [{"status": 404, "body": "{}"}])
            reply = scripted[min(len(seen), len(scripted)) - 1]
        time.sleep(reply.get("hang", 0))
        try:
            self.send(reply)
        except ConnectionError:
            pass  # a client that did not wait, or had enough

    def send(self, reply):
        data = reply.get("body", "").replace("@PAD@", "A" * reply.get("padding", 0)).encode()
        self.send_response(reply.get("status", 200))
        for name, value in reply.get("headers", {"content-type": "application/json"}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if reply.get("truncate") else data)

    do_GET = do_POST = answer


def obey(command):
    with lock:
        if "set" in command:
            replies[command["set"]] = command["replies"]
            requests[command["set"]] = []
            return {}
        return requests.get(command["requests"], [])


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)
    os._exit(0)  # a hanging reply shall not keep us


if __name__ == "__main__":
    main()
