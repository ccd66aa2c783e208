"""This hub as a witness of its peers' logs, in the words of C2SP tlog-witness; and what it has witnessed, for whoever
compares. Both are open to anybody: what counts is the signature on the checkpoint.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from federation.selectors.witness import cosigned_note
from federation.services.witness import add_checkpoint
from hashshare.api.bodies import AnyBytes, announced_length
from hashshare.api.endpoint import Endpoint
from hashshare.api.logs import note_response
from hashshare.api.permissions import ANYBODY
from hashshare.api.problems import plain_problem
from hashshare.api.throttling import OrganisationThrottle
from hashshare.wire.errors import (
    Conflict,
    HashshareError,
    LogForked,
    MalformedLog,
    TooLarge,
    UsageError,
    VerificationFailed,
    WrongProof,
)
from hashshare.wire.log.witnessing import MAX_REQUEST, SIZE_TYPE, AddCheckpoint

REQUESTS_A_MINUTE: Final = 240
"""From one network address: a hub with a hundred publishers asks once an hour for each, and once a minute for one."""


class WitnessThrottle(OrganisationThrottle):
    """Tighter than for organisations, since nobody has to be known here."""

    def __init__(self) -> None:
        super().__init__()
        if settings.HASHSHARE_RATE_LIMIT and self.limit / self.seconds > REQUESTS_A_MINUTE / 60:
            self.limit, self.seconds = REQUESTS_A_MINUTE, 60


class AddCheckpointEndpoint(Endpoint):
    """Cosign a checkpoint of a peer's log that extends the one cosigned here before (c2sp.org/tlog-witness)."""

    who = {"POST": ANYBODY}
    authentication_classes = ()
    parser_classes = (AnyBytes,)
    throttle_classes = (WitnessThrottle,)

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        if announced_length(request._request) > MAX_REQUEST:
            raise TooLarge(f"At most {MAX_REQUEST} bytes are read here.", limit=MAX_REQUEST)
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="add_checkpoint",
        request={"text/plain": OpenApiTypes.STR},
        responses={(200, "text/plain"): OpenApiTypes.STR, (409, SIZE_TYPE): OpenApiTypes.STR},
    )
    def post(self, request: Request) -> HttpResponse:
        try:
            asked = AddCheckpoint.parse(request._request.body)
            line = add_checkpoint(asked=asked, now=timezone.now())
        except (Conflict, LogForked) as error:
            return size_response(int(error.facts.get("size", error.facts.get("old", 0))))
        except VerificationFailed as error:
            return plain_problem(as_specified(error))
        return HttpResponse(line, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


def size_response(size: int) -> HttpResponse:
    """409, with the size that was cosigned last."""
    return HttpResponse(f"{size}\n", status=409, content_type=SIZE_TYPE, headers={"Cache-Control": "no-store"})


def as_specified(error: VerificationFailed) -> HashshareError:
    """400 for what cannot be read, 422 for a proof that does not verify."""
    if isinstance(error, MalformedLog):
        return UsageError(error.message)
    return WrongProof(error.message)


class Cosigned(Endpoint):
    """The checkpoint of a log that was cosigned here last, with this hub's cosignature and its time."""

    who = {"GET": ANYBODY}
    authentication_classes = ()

    @extend_schema(operation_id="cosigned", responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request, origin: str) -> HttpResponse:
        return note_response(cosigned_note(origin), cache="no-cache")
