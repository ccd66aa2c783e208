"""nginx with the site of deploy/nginx.conf: only names, ports, the certificate and folders are put in its place."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.system.hub import ROOT, free_port, wait_for

AROUND = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass(slots=True)
class Nginx:
    """A site on `port` of localhost; clients must be told to trust its own `certificate`."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def certificate(self) -> Path:
        return self.folder / "cert.pem"

    def make_certificate(self) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2",
             "-keyout", self.folder / "key.pem", "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip

    def start(self, *, hub_port: int, objects: Path) -> None:
        site = (ROOT / "deploy" / "nginx.conf").read_text()
        for shipped, here in {
            "listen 443": f"listen 127.0.0.1:{self.port}",
            "listen 80": f"listen 127.0.0.1:{free_port()}",
            "server_name hub.example": "server_name localhost",
            "server 127.0.0.1:8000": f"server 127.0.0.1:{hub_port}",
            "/etc/letsencrypt/live/hub.example/fullchain.pem": str(self.certificate),
            "/etc/letsencrypt/live/hub.example/privkey.pem": str(self.folder / "key.pem"),
            "/var/lib/hashshare/objects/": f"{objects}/",
        }.items():
            assert shipped in site, shipped
            site = site.replace(shipped, here)
        (self.folder / "site.conf").write_text(site)
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(AROUND.format(folder=self.folder, user=user))
        self.process = subprocess.Popen(["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf"])
        wait_for("nginx to listen", self._listens)

    def _listens(self) -> bool:
        assert self.process is not None and self.process.poll() is None, "nginx ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=30)

    def log(self) -> str:
        return (self.folder / "access.log").read_text()
