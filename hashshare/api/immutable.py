"""Responses for bytes that never change under their address: signed metadata and objects.

The address holds a version or a digest, so a client may keep the answer for good; `private` keeps it out of shared
caches, since who may read is decided per organisation.
"""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from hashshare.api.conditional import ByteRange, RangeNotSatisfiableError, etag_of, matches, requested_range
from hashshare.storage import object_store
from hashshare.storage.keys import media_type_of
from hashshare.storage.store import InternalPath, PresignedUrl

FOR_GOOD = "private, max-age=31536000, immutable"
REVALIDATE = "private, no-cache"


def bytes_response(
    request: HttpRequest, body: bytes, *, digest: str, media_type: str, cache: str = FOR_GOOD
) -> HttpResponse:
    """A small document in full: 200, or 304 when the client holds it. Ranges are not offered."""
    headers = {"ETag": etag_of(digest), "Cache-Control": cache}
    if matches(request.headers.get("If-None-Match"), headers["ETag"]):
        return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers["Content-Length"] = str(len(body))
    return HttpResponse(b"" if request.method == "HEAD" else body, content_type=media_type, headers=headers)


def object_response(
    request: HttpRequest, key: str, *, digest: str, length: int, here: bool = False
) -> HttpResponseBase:
    """A stored object: 200, 206 for one range, 304, 416, or whoever is to send it instead: the web server when it is
    told where files are, the object storage by a redirect (307). `here`: the hub itself in any case.
    """
    headers = {"ETag": etag_of(digest), "Cache-Control": FOR_GOOD, "Accept-Ranges": "bytes"}
    if matches(request.headers.get("If-None-Match"), headers["ETag"]):
        return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    media_type = media_type_of(key)
    if request.method == "HEAD":
        headers["Content-Length"] = str(length)
        return HttpResponse(content_type=media_type, headers=headers)
    match None if here else object_store().address(key):
        case InternalPath(path):
            return HttpResponse(content_type=media_type, headers=headers | {"X-Accel-Redirect": path})
        case PresignedUrl(url):
            return _redirect(url)
    return _sent(request, key, length=length, media_type=media_type, headers=headers)


def _redirect(url: str) -> HttpResponse:
    """307: the same method and range again. The address is a credential, which nobody may keep or pass on."""
    headers = {"Location": url, "Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}
    return HttpResponse(status=HTTPStatus.TEMPORARY_REDIRECT, headers=headers)


def _sent(request: HttpRequest, key: str, *, length: int, media_type: str, headers: dict[str, str]) -> HttpResponseBase:
    try:
        part = requested_range(
            request.headers.get("Range"),
            if_range=request.headers.get("If-Range"),
            etag=headers["ETag"],
            length=length,
        )
    except RangeNotSatisfiableError:
        headers["Content-Range"] = f"bytes */{length}"
        return HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    status = HTTPStatus.OK
    if part is not None:
        status = HTTPStatus.PARTIAL_CONTENT
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{length}"
    served = part or ByteRange(0, length - 1)
    headers["Content-Length"] = str(served.length)
    blocks = object_store().read(key, first=served.first, length=served.length)
    return StreamingHttpResponse(blocks, status=status, content_type=media_type, headers=headers)
