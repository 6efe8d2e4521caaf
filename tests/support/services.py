# SPDX-License-Identifier: Apache-2.0
import socket
import subprocess

from tests.support.stack import AS_USER, Bastion, wait_for_port, wait_until


class BastionOfServices(Bastion):
    """Each daemon is started by itself, as by systemd, and can be killed and started again."""
    DAEMONS = ("authd", "keyd", "stored")

    def start(self):
        for name in self.DAEMONS:  # systemd makes them where it starts the daemons
            (self.folder / "state" / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.folder / "run" / name).mkdir(mode=0o755, parents=True, exist_ok=True)
        self.hand_over()
        self.daemons = {}
        for name in self.DAEMONS:
            self.start_daemon(name)
        return self.start_gate()

    def spawn(self, program, *options):
        return subprocess.Popen([str(program), "--config", str(self.config_folder), *options],
                                stderr=open(self.log_path, "ab"), **AS_USER)

    def start_daemon(self, name):
        if name == "gate":
            return self.start_gate()
        (self.folder / "run" / name / "socket").unlink(missing_ok=True)
        self.daemons[name] = self.spawn(self.build / "libexec" / f"sallyport-{name}")
        wait_until(lambda: self.answers(name), 20, name)
        return self

    def answers(self, name):
        assert self.daemons[name].poll() is None, f"{name} ended at once"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            return connection.connect_ex(str(self.folder / "run" / name / "socket")) == 0

    def start_gate(self):
        self.process = self.spawn(self.build / "bin" / "sallyportd", "--no-daemons")
        wait_for_port(self.port, self.process)
        return self

    def kill_daemon(self, name):
        daemon = self.process if name == "gate" else self.daemons[name]
        daemon.kill()
        daemon.wait()

    def stop_daemon(self, name):
        if self.daemons[name].poll() is None:
            self.daemons[name].terminate()
        self.daemons[name].wait(10)

    def stop(self):
        super().stop()
        for name in self.daemons:
            self.stop_daemon(name)
