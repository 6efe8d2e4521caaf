# SPDX-License-Identifier: Apache-2.0
"""Sessions that do nothing, or last too long, where a limit says so."""
import contextlib
import re
import subprocess
import time

import pytest

from tests.e2e.conftest import running_stack
from tests.support.stack import Client


@contextlib.contextmanager
def limited(folder, **limits):
    with running_stack(folder, limits=limits) as bastion:
        client = Client(bastion, folder)
        client.log_in(bastion.idp.approve)
        yield client


def seconds(client, command, **more):
    start = time.monotonic()
    done = client.run(command, **more)
    return done, time.monotonic() - start


def test_without_limits_a_session_may_be_silent(bastion, client):
    done, passed = seconds(client, "sleep 4; echo done")
    assert (done.returncode, done.stdout) == (0, b"done\n")


def test_nothing_from_the_user(tmp_path):
    with limited(tmp_path, idle_input_s=2) as client:
        done, passed = seconds(client, "while sleep 0.2; do echo tick; done")
        assert done.returncode == 254
        assert done.stderr == (b"sallyport: this session ends: nothing was typed or sent for 2 s "
                               b"(limits.idle_input_s)\r\n")
        assert 2 <= passed < 6


def test_nothing_from_the_target(tmp_path):
    with limited(tmp_path, idle_output_s=2) as client:
        feeder = subprocess.Popen(["sh", "-c", "while sleep 0.2; do echo x; done"],
                                  stdout=subprocess.PIPE)
        try:
            done, passed = seconds(client, "cat >/dev/null", stdin=feeder.stdout)
        finally:
            feeder.kill()
            feeder.wait()
        assert done.returncode == 254
        assert b"the target has said nothing for 2 s (limits.idle_output_s)" in done.stderr
        assert 2 <= passed < 6


def test_what_goes_on_is_not_idle(tmp_path):
    with limited(tmp_path, idle_input_s=2, idle_output_s=2) as client:
        feeder = subprocess.Popen(["sh", "-c", "for i in 1 2 3 4 5; do sleep 1; echo $i; done"],
                                  stdout=subprocess.PIPE)
        done, passed = seconds(client, "cat", stdin=feeder.stdout)
        feeder.wait()
        assert (done.returncode, done.stdout) == (0, b"1\n2\n3\n4\n5\n")


def test_a_session_has_its_length(tmp_path):
    with limited(tmp_path, session_s=3) as client:
        done, passed = seconds(client, "while sleep 0.2; do echo tick; done")
        assert done.returncode == 254
        assert b"this session ends: it may last 3 s (limits.session_s)" in done.stderr
        assert 3 <= passed < 7


def options_of(port):
    """The timers of the established connections to this port, as the kernel tells them."""
    told = subprocess.run(["ss", "-Htno", f"sport = :{port}"], capture_output=True, text=True).stdout
    return re.findall(r"timer:\(keepalive,([^,]+),", told)


def test_a_vanished_client_is_asked_for_after_20_s(bastion, client):
    with client.connection():
        timers = options_of(bastion.port)
        assert timers and all(re.fullmatch(r"(\d+ms|1?\d(\.\d+)?sec|20sec)", t) for t in timers), timers


def test_a_keepalive_beside_a_channel_that_is_on_its_way_out(tmp_path):
    """The client has closed it, and its program goes on."""
    with running_stack(tmp_path, limits={"keepalive_s": 1},
                       sshd_config="LogLevel DEBUG3") as bastion:
        client = Client(bastion, tmp_path)
        client.log_in(bastion.idp.approve)
        with client.connection() as control:
            first = subprocess.Popen(client.command("exec sleep 8", options=control))
            with subprocess.Popen(client.command("exec sleep 8", options=control)) as second:
                time.sleep(1)
                second.kill()
            log = bastion.target.folder / "sshd.log"
            heard = lambda: log.read_text().count("Received SSH2_MSG_IGNORE")
            before = heard()
            time.sleep(4)
            assert 2 <= heard() - before <= 4
            first.kill()
            first.wait()
