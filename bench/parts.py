"""What the measurements share: a page to look at, and what the kernel says of a process."""
import os
import re
import subprocess
from pathlib import Path

from support.processes import Process, clean_environment, free_port, wait_until

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_SITE = "- {{url: '{url}', interval: {interval}, pattern: 'id=\"([^\"]+)\"'}}\n"
PAGE = "<html><p id=\"price\">42</p>" + "x" * (2048 - 50) + "</html>\n"


def cpu_seconds(pid):
    """User and system time of a process and of its threads; children that have ended are not counted."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busiest_thread_seconds(pid):
    """Of the thread that had the processor the longest; the time that it waited for one is not in it."""
    return max(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def resident_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def peak_mib(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def thread_seconds(pid):
    """Processor time of a process's threads by their names, in nanoseconds' resolution; of those that live."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name, time_ns = (task / "comm").read_text().strip(), (task / "schedstat").read_text().split()[0]
        except FileNotFoundError:
            continue
        found[name] = found.get(name, 0) + int(time_ns) / 1e9
    return found


def pinned(core):
    return ("taskset", "-c", str(core))


def first(core):
    """Pinned, and before whatever else the machine does where we may say so."""
    return (*(("nice", "-n", "-10") if os.geteuid() == 0 else ()), *pinned(core))


class Nginx:
    """One page of 2 KiB on loopback, from one worker on core 1; over TLS 1.3 too where there is a certificate."""

    def __init__(self, session, certificate=None):
        folder = session.new_folder("nginx")
        (folder / "page.html").write_text(PAGE)
        self.port = free_port()
        tls = ""
        if certificate is not None:
            self.tls_port = free_port()
            tls = f"""
  server {{ listen 127.0.0.1:{self.tls_port} ssl backlog=16000; root {folder};
    location / {{ try_files /page.html =404; }}
    ssl_certificate {certificate.cert_file}; ssl_certificate_key {certificate.key_file};
    ssl_protocols TLSv1.3; }}"""
        (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; worker_processes 1; error_log {folder}/error.log; pid {folder}/pid;
events {{ worker_connections 16000; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; default_type text/html; keepalive_timeout 5;
  server {{ listen 127.0.0.1:{self.port} backlog=16000; root {folder}; location / {{ try_files /page.html =404; }} }}
{tls}
}}
""")
        self.process = Process([*first(1), "nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log"],
                               env=clean_environment(session, folder), cwd=folder, log=folder / "out")
        wait_until(lambda: subprocess.run(["curl", "-sf", "-o", "/dev/null", self.url(0)]).returncode == 0, "nginx")

    def url(self, number):
        return f"http://127.0.0.1:{self.port}/{number}"

    def tls_url(self, number):
        return f"https://127.0.0.1:{self.tls_port}/{number}"
