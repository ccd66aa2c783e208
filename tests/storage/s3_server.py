"""S3 on loopback, as a process of its own: moto keeps the objects, and a door before it checks every signature.

The door computes AWS Signature Version 4 with botocore, which is neither moto's nor the hub's library, and refuses as
S3 does: no signature, a wrong one, one that is over, a body with another digest, two kinds of credentials at once.

    python -m tests.storage.s3_server PORT LOG

Keys are AKIDEXAMPLE and HASHSHARE_S3_SECRET; the log gets a line of JSON for each request.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

Environ = dict[str, Any]
Start = Callable[..., Any]
KEY_ID, REGION, BUCKET = "AKIDEXAMPLE", "eu-central-1", "objects"
STAMP = "%Y%m%dT%H%M%SZ"
SKEW = timedelta(minutes=15)


class RefusedError(Exception):
    """S3's code for what is wrong, and its status."""

    def __init__(self, code: str, status: str = "403 Forbidden") -> None:
        super().__init__(code)
        self.status = status


class Door:
    """WSGI: requests whose signature is right go on to `inside`."""

    def __init__(self, inside: Callable[[Environ, Start], Iterable[bytes]], secret: str, log: Path) -> None:
        self.inside, self.credentials, self.log = inside, Credentials(KEY_ID, secret), log

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        code = "OK"
        try:
            self.check(environ, body)
        except RefusedError as error:
            code = str(error)
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
            start(error.status, [("Content-Type", "application/xml"), ("Content-Length", str(len(text)))])
            return [text]
        else:
            return self.inside(environ, start)
        finally:
            self.write(environ, code)

    def write(self, environ: Environ, code: str) -> None:
        headers = {name.removeprefix("HTTP_").lower(): text for name, text in environ.items() if name[:5] == "HTTP_"}
        line = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "code": code, "headers": headers}
        with self.log.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def check(self, environ: Environ, body: bytes) -> None:
        header = environ.get("HTTP_AUTHORIZATION", "")
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        signed_query = "X-Amz-Signature" in query
        if header and signed_query:
            raise RefusedError("InvalidArgument", "400 Bad Request")
        if signed_query:
            self.check_presigned(environ, query)
        elif header.startswith("AWS4-HMAC-SHA256 "):
            self.check_header(environ, header, query, body)
        else:
            raise RefusedError("AccessDenied")

    def check_presigned(self, environ: Environ, query: dict[str, str]) -> None:
        signature, stamp = query.pop("X-Amz-Signature"), query["X-Amz-Date"]
        self.check_scope(query["X-Amz-Credential"])
        request = self.rebuilt(environ, query["X-Amz-SignedHeaders"].split(";"), query, stamp)
        self.compare(S3SigV4QueryAuth(self.credentials, "s3", REGION), request, signature)
        lived = datetime.now(UTC) - datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
        if not -SKEW <= lived < timedelta(seconds=int(query["X-Amz-Expires"])):
            raise RefusedError("AccessDenied")

    def check_header(self, environ: Environ, header: str, query: dict[str, str], body: bytes) -> None:
        fields = dict(part.strip().split("=", 1) for part in header.removeprefix("AWS4-HMAC-SHA256 ").split(","))
        self.check_scope(fields["Credential"])
        stamp, digest = environ["HTTP_X_AMZ_DATE"], environ["HTTP_X_AMZ_CONTENT_SHA256"]
        request = self.rebuilt(environ, fields["SignedHeaders"].split(";"), query, stamp)
        self.compare(S3SigV4Auth(self.credentials, "s3", REGION), request, fields["Signature"])
        if abs(datetime.now(UTC) - datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)) > SKEW:
            raise RefusedError("RequestTimeTooSkewed")
        if digest != hashlib.sha256(body).hexdigest():
            raise RefusedError("XAmzContentSHA256Mismatch", "400 Bad Request")

    def check_scope(self, credential: str) -> None:
        key_id, _, region, service, _ = credential.split("/")
        if (key_id, region, service) != (KEY_ID, REGION, "s3"):
            raise RefusedError("InvalidAccessKeyId")

    def rebuilt(self, environ: Environ, signed: list[str], query: dict[str, str], stamp: str) -> AWSRequest:
        """The request as its signer must have seen it, of the headers that it names as signed."""
        known = {"host": environ["HTTP_HOST"], "content-type": environ.get("CONTENT_TYPE", "")}
        known["content-length"] = environ.get("CONTENT_LENGTH", "")
        others = {name: environ.get(f"HTTP_{name.upper().replace('-', '_')}", "") for name in signed}
        headers = {name: known.get(name) or others[name] for name in signed}
        url = f"http://{environ['HTTP_HOST']}{environ['PATH_INFO']}"
        url += f"?{urlencode(query)}" if query else ""
        request = AWSRequest(method=environ["REQUEST_METHOD"], url=url, headers=headers)
        request.context["timestamp"] = stamp
        return request

    def compare(self, signer: Any, request: AWSRequest, signature: str) -> None:
        text = signer.string_to_sign(request, signer.canonical_request(request))
        if signer.signature(text, request) != signature:
            raise RefusedError("SignatureDoesNotMatch")


def main(port: int, log: Path) -> None:
    import threading

    import boto3
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    secret = os.environ["HASHSHARE_S3_SECRET"]
    inside = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    door = Door(inside.app, secret, log)
    server = make_server("127.0.0.1", port, door, threaded=True)
    # moto takes no signature amiss: the bucket is made behind the door.
    threading.Thread(target=inside.serve_forever, daemon=True).start()
    client: Any = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{inside.port}",
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=secret,
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
