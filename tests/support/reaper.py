"""Ends whatever a test session started, even when the session itself was killed with -9.

Started by processes.py with the session's mark and folder. It waits for its standard input to close, which the kernel
does when the session ends in any way, kills every process whose environment holds the mark, and removes the folder.
Exit code 3 says that there was something to kill.
"""
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path


def marked_processes(mark):
    """The process ids, our own aside, whose environment holds the mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:  # it ended, or is another user's
            continue
    return found


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "(ended)"


def kill_marked(mark, seconds=10):
    """Kill them until none is left; return the command lines of those that were there."""
    seen = {}
    deadline = time.monotonic() + seconds
    while (pids := marked_processes(mark)) and time.monotonic() < deadline:
        for pid in pids:
            seen.setdefault(pid, command_line(pid))
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.02)
    return list(seen.values())


def unmount_under(folder):
    """File systems that the session mounted in its folder, the innermost first: a mount point can't be removed."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in reversed(points):
        if point.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", point], stderr=subprocess.DEVNULL)


def main():
    mark, folder = sys.argv[1], sys.argv[2]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    left = kill_marked(mark)
    unmount_under(folder)
    shutil.rmtree(folder, ignore_errors=True)
    return 3 if left else 0


if __name__ == "__main__":
    sys.exit(main())
