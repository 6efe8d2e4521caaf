# SPDX-License-Identifier: Apache-2.0
"""The units, judged by systemd itself. It works on files: no manager has to run."""
import configparser
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from tests.support.stack import BUILD, short_folder

SERVICES = ("gate", "authd", "keyd", "stored", "witness")
# What systemd-analyze calls exposure, in tenths: 0 is a service that can do nothing, 100 one that
# can do everything. gate, authd and witness need the network; the others have none.
MOST_EXPOSURE = {"gate": 13, "authd": 13, "keyd": 5, "stored": 5, "witness": 13}

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")


def run(*arguments, **more):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=60,
                          **more)


class Installed:
    """The units as `cmake --install` leaves them, below a folder of their own."""

    def __init__(self, root):
        self.root = root
        done = run("cmake", "--install", BUILD, "--component", "systemd",
                   env={**os.environ, "DESTDIR": str(root)})
        assert done.returncode == 0, done.stderr
        found = list(root.rglob("sallyport-gate.service"))
        assert len(found) == 1
        self.units = found[0].parent
        self.lib = self.units.parent.parent

    def text(self, unit):
        return (self.units / unit).read_text()

    def with_programs(self):
        """The same units with programs that are there: systemd looks for them, and asks no more
        of them than that they can be executed."""
        folder = self.root / "checked"
        shutil.copytree(self.units, folder)
        for service in SERVICES:
            path = folder / f"sallyport-{service}.service"
            text, count = re.subn(r"^(ExecStart=)(\S+)", self.fake_program, path.read_text(),
                                  flags=re.M)
            assert count == 1
            path.write_text(text)
        return folder

    def fake_program(self, match):
        program = self.root / "programs" / pathlib.Path(match.group(2)).name
        program.parent.mkdir(exist_ok=True)
        program.touch(mode=0o755)
        return match.group(1) + str(program)


@pytest.fixture(scope="module")
def installed():
    root = short_folder()
    yield Installed(root)
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def checked(installed):
    return installed.with_programs()


def verify(folder):
    """Each unit with its neighbours in sight; what the machine's own units do wrong is theirs."""
    done = run("systemd-analyze", "verify", "--man=no", *sorted(folder.glob("sallyport*")),
               env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"})
    return [line for line in done.stderr.splitlines() if "sallyport" in line]


def test_systemd_finds_nothing_wrong_with_the_units(checked):
    assert verify(checked) == []


def test_verify_would_have_found_something(checked, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(checked, broken)
    unit = broken / "sallyport-keyd.service"
    unit.write_text(unit.read_text().replace("PrivateNetwork=yes", "PrivateNetwrok=yes")
                    .replace("NoNewPrivileges=yes", "NoNewPrivileges=maybe"))
    found = "\n".join(verify(broken))
    assert "PrivateNetwrok" in found and "Failed to parse boolean value" in found


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_hardly_exposed(checked, service):
    unit = checked / f"sallyport-{service}.service"
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager",
               f"--threshold={MOST_EXPOSURE[service]}", unit)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Overall exposure level" in done.stdout


def test_security_would_have_found_something(checked, tmp_path):
    unit = tmp_path / "sallyport-keyd.service"
    text = (checked / unit.name).read_text()
    unit.write_text(text.replace("PrivateNetwork=yes\n", "").replace("ProtectSystem=strict\n", ""))
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager",
               f"--threshold={MOST_EXPOSURE['keyd']}", unit)
    assert done.returncode != 0


def service_section(installed, service):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read_string(installed.text(f"sallyport-{service}.service"))
    return dict(parser["Service"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_as_the_user_that_the_code_drops_to(installed, service):
    header = (pathlib.Path(__file__).parents[2] / "shared/ipc/sandbox.h").read_text()
    constant = {"gate": "Session"}.get(service, service.capitalize())
    user = re.search(rf'k{constant}User = "([^"]+)"', header).group(1)
    section = service_section(installed, service)
    assert section["User"] == section["Group"] == user
    made = (installed.lib / "sysusers.d" / "sallyport.conf").read_text()
    assert re.search(rf"^u +{user} ", made, re.M)


@pytest.mark.parametrize("service", ("authd", "keyd", "stored"))
def test_a_daemon_has_the_folders_that_the_configuration_expects(installed, service):
    section = service_section(installed, service)
    assert section["RuntimeDirectory"] == section["StateDirectory"] == f"sallyport/{service}"
    assert section["StateDirectoryMode"] == "0700"
    assert section["Type"] == "notify"


def test_keyd_has_no_network_and_its_key_is_a_credential(installed):
    section = service_section(installed, "keyd")
    assert section["PrivateNetwork"] == "yes"
    assert section["RestrictAddressFamilies"] == "AF_UNIX"
    assert section["LoadCredential"].startswith("vault.key:")


def test_the_units_start_what_the_build_installs(installed):
    """The names in ExecStart= are those of the install rules, in the same prefix."""
    rules = "\n".join(path.read_text() for path in BUILD.glob("bastion/*/cmake_install.cmake"))
    for service in SERVICES:
        program = service_section(installed, service)["ExecStart"].split()[0]
        place = pathlib.Path(program)
        assert re.search(rf"/{place.parent.name}\"[^)]*/{place.name}\"", rules), program


def test_gate_takes_its_listening_socket_from_systemd(installed):
    assert "--no-daemons" in service_section(installed, "gate")["ExecStart"]
    assert "ListenStream=" in installed.text("sallyport-gate.socket")
    assert "Requires=sallyport-gate.socket" in installed.text("sallyport-gate.service")


@pytest.mark.skipif(os.geteuid() != 0, reason="systemd-sysusers --root wants root")
def test_sysusers_and_tmpfiles_do_what_they_say(installed, tmp_path):
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    for tool, folder in (("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles", "tmpfiles.d")):
        if not shutil.which(tool):
            pytest.skip(f"no {tool} here")
        more = ["--create"] if tool == "systemd-tmpfiles" else []
        done = run(tool, f"--root={root}", *more, installed.lib / folder / "sallyport.conf")
        assert done.returncode == 0, done.stderr
    users = (root / "etc/passwd").read_text()
    for name in ("sallyport", "sallyport-authd", "sallyport-keyd", "sallyport-stored",
                 "sallyport-witness"):
        assert re.search(rf"^{name}:.*:/usr/sbin/nologin$", users, re.M)
    for folder in ("run/sallyport", "var/lib/sallyport"):
        assert (root / folder).stat().st_mode & 0o7777 == 0o755
