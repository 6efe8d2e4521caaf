# SPDX-License-Identifier: Apache-2.0
"""Identity providers for tests: real ones, started, approved and denied by script, on loopback.

    with idp.start("oidc-provider", interval=1) as provider:
        ...provider.issuer, provider.discovery_url, provider.clients["basic"].secret...
        provider.approve(user_code, "alice")

Kinds: "oidc-provider" (npm, certified), "glewlwyd" (Debian), "mint" (signs anything). The users are
alice (groups ssh-users, db-admins) and bob; oidc-provider also has `many` (300 groups) and `none`.
Each is a child of its own that stop() ends. Nothing is written into the checkout.
"""
import dataclasses
import http.cookiejar
import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
OIDC_PROVIDER_VERSION = "8.8.1"
GLEWLWYD_SCHEMA = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"
SCOPE = "openid profile email groups offline_access"


@dataclasses.dataclass
class Client:
    id: str
    authentication: str  # none, basic, basic_raw, post, private_key_jwt
    secret: str = ""
    key: str = ""  # private_key_jwt: the private JWK


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


class Browser:
    """Cookies, forms, and redirects followed by hand."""

    def __init__(self, ca_file=None):
        context = ssl.create_default_context(cafile=ca_file)
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), NoRedirect(),
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def request(self, url, form=None, json_body=None, method=None):
        """Returns (status, text, where it redirects to or None)."""
        data, headers = None, {}
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
        if json_body is not None:
            data, headers = json.dumps(json_body).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            reply = self.opener.open(request, timeout=20)
        except urllib.error.HTTPError as error:
            reply = error
        location = reply.headers.get("location")
        return (reply.status, reply.read().decode(),
                urllib.parse.urljoin(url, location) if location else None)


class Provider:
    """What all kinds have. `issuer` is what tokens say; `base` is where the server listens."""

    ca_file = None

    def __init__(self, port):
        self.port = port or free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.issuer = self.base
        self.discovery_url = self.base + "/.well-known/openid-configuration"
        self.clients = {}
        self.process = None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-idp-"))

    def launch(self, command):
        """Starts the server with its output in a file; waits until the port answers."""
        with open(self.folder / "output", "wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output,
                                            stdin=subprocess.DEVNULL, cwd=self.folder)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        output = (self.folder / "output").read_text()
        self.stop()
        raise RuntimeError(f"{command[0]} does not start: {output}")

    def approve(self, user_code, user="alice"):
        raise NotImplementedError

    def deny(self, user_code, user="alice"):
        raise NotImplementedError(f"{type(self).__name__} knows no denial")

    def counts(self):
        """Requests so far by path, or None where the provider does not count."""
        return None

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.stop()


def install_oidc_provider():
    """npm's package in a cache outside of the checkout. No lock file: it would name a registry."""
    cache = pathlib.Path(os.environ.get(
        "SALLYPORT_TEST_CACHE", pathlib.Path.home() / ".cache" / "sallyport-tests"))
    folder = cache / "oidc-provider"
    installed = folder / "node_modules" / "oidc-provider" / "package.json"
    if installed.exists() and json.loads(installed.read_text())["version"] == OIDC_PROVIDER_VERSION:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({
        "name": "sallyport-test-idp", "private": True,
        "dependencies": {"oidc-provider": OIDC_PROVIDER_VERSION}}))
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefix",
                    str(folder)], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    return folder


class OidcProvider(Provider):
    """Knobs: see tests/support/idp/oidc_provider.mjs."""

    def __init__(self, port=0, **knobs):
        super().__init__(port)
        if "tls_cert" in knobs:
            self.base = self.issuer = f"https://127.0.0.1:{self.port}"
            self.discovery_url = self.issuer + "/.well-known/openid-configuration"
            self.ca_file = str(knobs["tls_cert"])
            knobs.update(tls_cert=str(knobs["tls_cert"]), tls_key=str(knobs["tls_key"]))
        knobs.update(port=self.port, dir=str(install_oidc_provider()))
        self.launch(["node", str(HERE / "idp" / "oidc_provider.mjs"), json.dumps(knobs)])
        self.clients = {
            "public": Client("bastion-public", "none"),
            "basic": Client("bastion-basic", "basic", "secret+with/odd:chars&100%"),
            "post": Client("bastion-post", "post", "postsecret"),
        }
        try:
            self.clients["key"] = Client("bastion-key", "private_key_jwt", key=self.client_key())
        except BaseException:
            self.stop()
            raise

    def client_key(self):
        """The line that it prints once it listens, which may be just after it answers."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for line in (self.folder / "output").read_text().splitlines(keepends=True):
                if line.startswith("{") and line.endswith("\n"):
                    return line.rstrip("\n")
            time.sleep(0.05)
        raise RuntimeError("oidc_provider.mjs printed no client key")

    def decide(self, user_code, user, decision):
        browser = Browser(self.ca_file)
        device = self.base + "/device"
        xsrf = re.search(r'name="xsrf"[^>]*value="([^"]+)"', browser.request(device)[1]).group(1)
        form = {"xsrf": xsrf, "user_code": user_code}
        status, text, _ = browser.request(device, form)
        if status != 200:
            raise RuntimeError(f"user code {user_code}: {text}")
        _, text, location = browser.request(device, {**form, "confirm": "yes"})
        for _ in range(8):  # sign-in, consent, and back after each
            if not location:
                break
            answer = {"user": user, "decision": decision} if "/interaction/" in location else None
            _, text, location = browser.request(location, answer)
        return text

    def approve(self, user_code, user="alice"):
        text = self.decide(user_code, user, "approve")
        if "SUCCESS" not in text:
            raise RuntimeError(f"not approved: {text}")

    def deny(self, user_code, user="alice"):
        text = self.decide(user_code, user, "deny")
        if "SUCCESS" in text:
            raise RuntimeError("approved, not denied")

    def rotate_keys(self, drop=False):
        Browser(self.ca_file).request(self.base + "/_test/rotate" + ("?drop" if drop else ""))

    def set_groups(self, user, groups):
        query = urllib.parse.urlencode({"user": user, "group": groups}, doseq=True)
        Browser(self.ca_file).request(f"{self.base}/_test/groups?{query}")

    def counts(self):
        return json.loads(Browser(self.ca_file).request(self.base + "/_test/counts")[1])


class Glewlwyd(Provider):
    """Knobs: interval, device_ttl (seconds). Its issuer is not where its discovery document is."""

    def __init__(self, port=0, interval=1, device_ttl=600):
        super().__init__(port)
        self.api = self.base + "/api"
        self.discovery_url = self.api + "/oidc/.well-known/openid-configuration"
        self.clients = {
            "public": Client("bastion-public", "none"),
            # It does not form-decode what comes by Basic.
            "basic": Client("bastion-basic", "basic_raw", "secret+with/odd:chars&100%"),
            "post": Client("bastion-post", "post", "postsecret"),
        }
        self.write_files()
        self.launch(["glewlwyd", f"--config-file={self.folder}/glewlwyd.conf"])
        try:
            self.configure(interval, device_ttl)
        except BaseException:
            self.stop()
            raise

    def write_files(self):
        with sqlite3.connect(self.folder / "db") as database:
            database.executescript(pathlib.Path(GLEWLWYD_SCHEMA).read_text())
        database.close()
        template = (HERE / "idp" / "glewlwyd.conf").read_text()
        (self.folder / "glewlwyd.conf").write_text(
            template.replace("@PORT@", str(self.port)).replace("@FOLDER@", str(self.folder)))
        key = self.folder / "key.pem"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", self.folder / "pub.pem"],
                       check=True, capture_output=True)

    def configure(self, interval, device_ttl):
        admin = Browser()

        def call(method, path, body=None):
            status, text, _ = admin.request(self.api + path, json_body=body, method=method)
            if status != 200:
                raise RuntimeError(f"glewlwyd: {method} {path}: {status} {text}")
            return text

        call("POST", "/auth/", {"username": "admin", "password": "password"})
        users = json.loads(call("GET", "/mod/user/database"))
        users["parameters"]["data-format"].update(
            groups={"multiple": True, "read": True, "write": True, "profile-read": True},
            preferred_username={"multiple": False, "read": True, "write": True})
        call("PUT", "/mod/user/database", users)
        call("PUT", "/mod/user/database/reset")
        for name in SCOPE.split():
            scope = {"name": name, "display_name": name, "password_required": True}
            call(*(("PUT", "/scope/openid") if name == "openid" else ("POST", "/scope/")), scope)
        for name, groups in (("alice", ["ssh-users", "db-admins"]), ("bob", ["ssh-users"])):
            call("POST", "/user/", {
                "username": name, "name": name.title(), "email": f"{name}@example.org",
                "enabled": True, "password": f"password-{name}", "preferred_username": name,
                "groups": groups, "scope": [*SCOPE.split(), "g_profile"]})
        methods = {"none": "none", "basic_raw": "client_secret_basic", "post": "client_secret_post"}
        for client in self.clients.values():
            secret = {"client_secret": client.secret} if client.secret else {}
            call("POST", "/client/", {
                "client_id": client.id, "client_name": "SSH bastion", "enabled": True,
                "confidential": bool(client.secret), **secret,
                "authorization_type": ["device_authorization", "refresh_token"],
                "token_endpoint_auth_method": [methods[client.authentication]]})
        call("POST", "/mod/plugin/", self.plugin(interval, device_ttl))

    def plugin(self, interval, device_ttl):
        parameters = json.loads((HERE / "idp" / "glewlwyd_plugin.json").read_text())
        parameters.update({
            "iss": self.issuer,
            "key": (self.folder / "key.pem").read_text(),
            "cert": (self.folder / "pub.pem").read_text(),
            "device-authorization-expiration": device_ttl,
            "device-authorization-interval": interval})
        return {"module": "oidc", "name": "oidc", "display_name": "oidc", "enabled": True,
                "parameters": parameters}

    def approve(self, user_code, user="alice"):
        client = self.client_of(user_code)
        browser = Browser()
        password = {"username": user, "password": f"password-{user}"}
        if browser.request(self.api + "/auth/", json_body=password)[0] != 200:
            raise RuntimeError(f"glewlwyd knows no {user}")
        browser.request(f"{self.api}/auth/grant/{client}", json_body={"scope": SCOPE}, method="PUT")
        query = urllib.parse.urlencode({"code": user_code, "g_continue": ""})
        _, text, location = browser.request(f"{self.api}/oidc/device?{query}")
        if "prompt=deviceComplete" not in (location or ""):
            raise RuntimeError(f"not approved: {location} {text}")

    def client_of(self, user_code):
        """Consent is given to a client: which one asks stands in the redirect to its sign-in."""
        query = urllib.parse.urlencode({"code": user_code, "g_continue": ""})
        location = Browser().request(f"{self.api}/oidc/device?{query}")[2] or ""
        found = urllib.parse.parse_qs(urllib.parse.urlparse(location).query).get("client_id")
        if not found:
            raise RuntimeError(f"glewlwyd knows no user code {user_code}: {location}")
        return found[0]


class Mint(Provider):
    """Two issuers, base/a and base/b, that sign anything. For tokens that lie."""

    def __init__(self, port=0):
        super().__init__(port)
        self.issuer = self.base + "/a"
        self.discovery_url = self.issuer + "/.well-known/openid-configuration"
        self.launch(["node", str(HERE / "idp" / "token_mint.mjs"), str(self.port)])

    def mint(self, claims, **query):
        """claims: a dict, or text that need not be JSON. query: iss, alg, kid."""
        text = claims if isinstance(claims, str) else json.dumps(claims)
        url = self.base + "/mint?" + urllib.parse.urlencode(query)
        request = urllib.request.Request(url, text.encode())
        return Browser().opener.open(request, timeout=20).read().decode()

    def counts(self):
        return json.loads(Browser().request(self.base + "/counts")[1])


KINDS = {"oidc-provider": OidcProvider, "glewlwyd": Glewlwyd, "mint": Mint}


def start(kind, port=0, **knobs):
    return KINDS[kind](port, **knobs)
