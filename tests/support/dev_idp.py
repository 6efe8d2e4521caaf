# SPDX-License-Identifier: Apache-2.0
"""The development identity provider as a process, and a browser for its pages."""
import http.cookiejar
import re
import subprocess
import urllib.parse
import urllib.request

from tests.support.stack import BUILD, free_port, wait_for_port


class DevIdp:
    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.identity = {"issuer": self.url, "client_id": "sallyport"}
        self.process = None

    def start(self, config_folder):
        self.process = subprocess.Popen(
            [str(BUILD / "libexec" / "sallyport-dev-idp"), "--config", str(config_folder)],
            stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self.process)
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def _open(self, opener, path, form=None):
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        with opener.open(self.url + path, data, timeout=10) as answer:
            return answer.read().decode()

    def decide(self, code, user="alice", decision="approve"):
        opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        csrf = ""
        for path, form in (("/device", None), ("/device", {"user_code": code}),
                           ("/device/decision", {"user_code": code, "user": user,
                                                 "decision": decision})):
            page = self._open(opener, path, {**form, "csrf": csrf} if form else None)
            found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
            csrf = found.group(1) if found else csrf

    def approve(self, code, person="alice"):
        self.decide(code, person, "approve")

    def deny(self, code, person="alice"):
        self.decide(code, person, "deny")
