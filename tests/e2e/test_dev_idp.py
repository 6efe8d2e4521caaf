# SPDX-License-Identifier: Apache-2.0
"""The development identity provider over HTTP, as authd and a browser see it."""
import base64
import hashlib
import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

PROGRAM = os.path.join(os.environ["SALLYPORT_BUILD_DIR"], "libexec", "sallyport-dev-idp")
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def write_config(folder, port, **changes):
    config = {
        "development": True,
        "host_keys": ["host_key"],
        "recording": {"recipients": [RECIPIENT]},
        "identity": {"issuer": f"http://127.0.0.1:{port}", "client_id": "sallyport"},
    }
    config.update(changes)
    path = folder / "sallyport.json"
    path.write_text(json.dumps(config))
    path.chmod(0o644)
    return str(path)


class Idp:
    def __init__(self, folder, *options):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [PROGRAM, "--config", write_config(folder, self.port), *options], stderr=subprocess.PIPE)
        assert b"listening" in self.process.stderr.readline()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)

    def request(self, path, form=None, headers={}, opener=urllib.request):
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(self.url + path, data, headers)
        opened = opener.urlopen if opener is urllib.request else opener.open
        try:
            with opened(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def start_login(self):
        status, body = self.request("/device_authorization",
                                    {"client_id": "sallyport", "scope": "openid email groups"})
        assert status == 200, body
        return json.loads(body)

    def poll(self, login):
        status, body = self.request("/token", {"client_id": "sallyport", "grant_type": GRANT,
                                               "device_code": login["device_code"]})
        return status, json.loads(body)


class Browser:
    def __init__(self, idp):
        self.idp = idp
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.csrf = ""

    def open(self, path, form=None):
        status, page = self.idp.request(path, form, opener=self.opener)
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
        self.csrf = found.group(1) if found else self.csrf
        return status, page

    def decide(self, code, user="alice", decision="approve", **more):
        self.open("/device?user_code=" + code)
        status, page = self.open("/device", {"csrf": self.csrf, "user_code": code})
        assert status == 200 and "Approve this sign-in?" in page
        return self.open("/device/decision", {"csrf": self.csrf, "user_code": code, "user": user,
                                              "decision": decision, **more})


@pytest.fixture
def idp(tmp_path):
    tmp_path.chmod(0o755)
    provider = Idp(tmp_path)
    yield provider
    provider.stop()


def test_a_browser_approves_and_the_client_gets_tokens(idp):
    login = idp.start_login()
    assert login["verification_uri"] == idp.url + "/device"
    time.sleep(1)
    assert idp.poll(login) == (400, {"error": "authorization_pending",
                                     "error_description": "nobody has decided yet"})
    status, page = Browser(idp).decide(login["user_code"])
    assert status == 200 and "signed in as alice" in page
    time.sleep(1)
    status, tokens = idp.poll(login)
    assert status == 200
    header = {"Authorization": "Bearer " + tokens["access_token"]}
    status, claims = idp.request("/userinfo", headers=header)
    assert json.loads(claims) == {"sub": "dev-alice", "email": "alice@example.com",
                                  "email_verified": True, "groups": ["ssh-users", "admins"]}


def test_the_id_token_is_signed_by_the_published_key(idp):
    def decode(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    login = idp.start_login()
    Browser(idp).decide(login["user_code"])
    time.sleep(1)
    head, body, signature = idp.poll(login)[1]["id_token"].split(".")
    [key] = json.loads(idp.request("/jwks")[1])["keys"]
    assert json.loads(decode(head)) == {"alg": "RS256", "typ": "JWT", "kid": key["kid"]}
    modulus, exponent = (int.from_bytes(decode(key[k]), "big") for k in "ne")
    opened = pow(int.from_bytes(decode(signature), "big"), exponent, modulus).to_bytes(256, "big")
    digest = hashlib.sha256(f"{head}.{body}".encode()).digest()
    assert opened.startswith(b"\x00\x01\xff") and opened.endswith(digest)


def test_a_denial_reaches_the_client(idp):
    login = idp.start_login()
    status, page = Browser(idp).decide(login["user_code"], decision="deny")
    assert status == 200 and "Denied" in page
    time.sleep(1)
    assert idp.poll(login)[1]["error"] == "access_denied"


def test_who_signs_in_knows_the_password(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "password").write_text("a b&c\nnot this\n")
    (tmp_path / "password").chmod(0o600)
    idp = Idp(tmp_path, "--password-file", str(tmp_path / "password"))
    try:
        login = idp.start_login()
        for wrong in ({}, {"password": ""}, {"password": "a b&c\nnot this"}):
            status, page = Browser(idp).decide(login["user_code"], **wrong)
            assert status == 403 and "password is wrong" in page
        assert idp.poll(login)[1]["error"] in ("authorization_pending", "slow_down")
        status, page = Browser(idp).decide(login["user_code"], password="a b&c")
        assert status == 200 and "signed in as alice" in page
    finally:
        assert idp.stop() == 0


def test_without_a_readable_password_it_does_not_start(tmp_path):
    tmp_path.chmod(0o755)
    for content in (None, "", "\n"):
        if content is not None:
            (tmp_path / "password").write_text(content)
        ended = subprocess.run(
            [PROGRAM, "--config", write_config(tmp_path, free_port()), "--password-file",
             str(tmp_path / "password")], capture_output=True, text=True, timeout=10)
        assert ended.returncode == 1 and "no password can be read there" in ended.stderr


def test_polling_too_fast_is_slowed_down(idp):
    login = idp.start_login()
    assert idp.poll(login)[1]["error"] == "slow_down"


def test_a_code_runs_out(tmp_path):
    tmp_path.chmod(0o755)
    provider = Idp(tmp_path, "--code-lifetime", "1")
    try:
        login = provider.start_login()
        time.sleep(1.1)
        assert provider.poll(login)[1]["error"] == "expired_token"
    finally:
        provider.stop()


def test_a_page_of_another_site_cannot_decide(idp):
    code = idp.start_login()["user_code"]
    form = {"user_code": code, "user": "alice", "decision": "approve"}
    browser = Browser(idp)
    browser.open("/device")
    assert browser.open("/device/decision", form)[0] == 403  # no token
    assert browser.open("/device/decision", {**form, "csrf": "0" * 64})[0] == 403
    assert idp.request("/device/decision", {**form, "csrf": browser.csrf})[0] == 403  # no cookie
    good = {"Host": "rebound.example.com"}
    assert idp.request("/.well-known/openid-configuration", headers=good)[0] == 421
    assert idp.request("/device", headers={"Origin": "http://evil.example.com"})[0] == 421


def test_codes_cannot_be_found_by_trying(idp):
    login = idp.start_login()
    browser = Browser(idp)
    browser.open("/device")
    statuses = [browser.open("/device", {"csrf": browser.csrf, "user_code": "BBBBBBBB"})[0]
                for _ in range(11)]
    assert statuses == [400] * 10 + [429]
    assert browser.open("/device", {"csrf": browser.csrf,
                                    "user_code": login["user_code"]})[0] == 429


def test_sloppy_requests_are_refused(idp):
    form = {"client_id": "sallyport", "scope": "openid"}
    twice = "client_id=sallyport&client_id=other&scope=openid"
    request = urllib.request.Request(idp.url + "/device_authorization", twice.encode())
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(request, timeout=10)
    assert idp.request("/device_authorization?scope=openid", form)[0] == 400
    assert idp.request("/device_authorization", form, {"Content-Type": "text/plain"})[0] == 400
    assert idp.request("/device_authorization", {**form, "scope": "x" * 9000})[0] == 413


def test_it_listens_on_loopback_only(idp):
    with open("/proc/net/tcp") as table, open("/proc/net/tcp6") as table6:
        lines = [line.split()[1] for line in table.readlines()[1:] + table6.readlines()[1:]]
    ours = [line for line in lines if line.endswith(f":{idp.port:04X}")]
    assert set(ours) == {f"0100007F:{idp.port:04X}"}


def test_it_ends_cleanly(tmp_path):
    tmp_path.chmod(0o755)
    assert Idp(tmp_path).stop() == 0


@pytest.mark.parametrize("changes, why", [
    ({"development": False, "identity": {"issuer": "https://idp.example.com",
                                         "client_id": "x"}}, "development"),
    ({"development": False}, ""),
    ({"identity": {"issuer": "https://idp.example.com", "client_id": "x"}}, "127.0.0.1"),
    ({"identity": {"issuer": "http://127.0.0.1:99999", "client_id": "x"}}, ""),
    ({"identity": {"issuer": "http://127.0.0.1:8080/path", "client_id": "x"}}, "127.0.0.1"),
])
def test_it_refuses_any_other_configuration(tmp_path, changes, why):
    tmp_path.chmod(0o755)
    path = write_config(tmp_path, 8080, **changes)
    done = subprocess.run([PROGRAM, "--config", path], capture_output=True, text=True, timeout=10)
    assert done.returncode == 1
    assert why in done.stderr
