"""Machines of the tests' own, as far as their network goes: network namespaces with a cable between them.

    with Islands(session) as islands:        # skips where it is not root's to make them
        with islands.on(islands.far):        # sockets that this thread makes are there
            server = SiteServer(host=islands.far_ip)
        websentry.start(..., prefix=islands.near_prefix)
        islands.cut("near")                  # the link is taken down; "far": the cable is pulled at the other end
"""
import contextlib
import ctypes
import os
import subprocess

import pytest

from support.processes import clean_environment, wait_until

_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Islands:
    near_ip = "10.77.0.1"
    far_ip = "10.77.0.2"

    def __init__(self, session):
        if os.getuid() != 0:
            pytest.skip("only root may make network namespaces")
        environment = clean_environment(session, "/")
        self._holders = []
        for _ in range(2):
            self._holders.append(subprocess.Popen(["unshare", "--net", "sleep", "infinity"], env=environment,
                                                  stdin=subprocess.DEVNULL, start_new_session=True))
        self.near, self.far = (holder.pid for holder in self._holders)
        try:
            own = os.readlink("/proc/self/ns/net")
            wait_until(lambda: own not in [os.readlink(f"/proc/{pid}/ns/net") for pid in (self.near, self.far)],
                       "two network namespaces", 10)
            self._ip(self.near, f"link add near0 type veth peer name far0 netns {self.far}")
            for pid, link, address in ((self.near, "near0", self.near_ip), (self.far, "far0", self.far_ip)):
                self._ip(pid, f"addr add {address}/24 dev {link}")
                self._ip(pid, f"link set {link} up")
                self._ip(pid, "link set lo up")
        except BaseException:
            self.close()
            raise

    @property
    def near_prefix(self):
        """Words in front of a program that is to run on the near one."""
        return ["nsenter", f"--net=/proc/{self.near}/ns/net", "--"]

    @contextlib.contextmanager
    def on(self, pid):
        """What this thread opens, and threads that it starts meanwhile, are in that namespace."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        try:
            self._enter(there)
            yield
        finally:
            self._enter(own)
            os.close(own)
            os.close(there)

    def cut(self, end):
        self._ip(self.near if end == "near" else self.far, f"link set {end}0 down")

    def mend(self, end):
        self._ip(self.near if end == "near" else self.far, f"link set {end}0 up")

    def close(self):
        for holder in self._holders:
            holder.kill()
            holder.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()

    @staticmethod
    def _enter(fd):
        if _libc.setns(fd, _NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    @staticmethod
    def _ip(pid, words):
        subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "--", "ip", *words.split()], check=True,
                       capture_output=True, text=True, timeout=20)
