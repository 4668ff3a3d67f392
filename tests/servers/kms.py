"""A key management service on this machine: moto's, which speaks the API of AWS KMS over real HTTP."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "stafeta",
    "AWS_SECRET_ACCESS_KEY": "of the tests",
    "AWS_EC2_METADATA_DISABLED": "1",
}


@dataclass
class Kms:
    """A service that runs. client: for who looks after it."""

    url: str
    client: Any

    @property
    def environ(self) -> dict[str, str]:
        """The environment of an installation that uses it."""
        return {**CREDENTIALS, "STAFETA_KMS_ENDPOINT": self.url, "STAFETA_KMS_REGION": REGION}

    def new_key(self) -> str:
        """Make a key in the service and return its ARN."""
        return str(self.client.create_key()["KeyMetadata"]["Arn"])


@contextmanager
def nobody() -> Iterator[str]:
    """Yield the address of a service that is down."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # and nobody listens
        yield f"http://127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def refusing(code: str) -> Iterator[str]:
    """Yield the address of a service that answers everything with this error."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps({"__type": code}).encode()
            self.send_response(400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def running_kms() -> Iterator[Kms]:
    """Run one until the end of the block."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.session.Session().client(
        "kms",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    try:
        yield Kms(url, client)
    finally:
        server.stop()
