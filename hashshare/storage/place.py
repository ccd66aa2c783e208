"""Where a bucket is, and how it is to be used: the settings of S3-compatible storage, without their checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """`endpoint` is empty for AWS itself. Without keys the usual places are asked: AWS_* in the environment, a web
    identity, the container, the instance.

    `url_seconds`: how long a presigned address lives; 0: the hub passes every object through. `public_endpoint` is
    where members reach the bucket when the hub does so elsewhere. `checkouts` keeps local copies of at most
    `checkouts_bytes`, those of the last hour apart.
    """

    bucket: str
    region: str
    checkouts: Path
    endpoint: str = ""
    public_endpoint: str = ""
    prefix: str = ""
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    path_style: bool = True
    url_seconds: int = 300
    checkouts_bytes: int = 20 * 1024**3
