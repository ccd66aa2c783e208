"""Enrolment: an invitation code and a public key make an organisation's first machine known to the hub."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.authentication import checked_signature
from hashshare.api.bodies import bounded_body
from hashshare.api.descriptor import HubDescriptor
from hashshare.api.endpoint import Endpoint, answer, validated
from hashshare.api.fields import Base64Field
from hashshare.api.permissions import ANYBODY
from hashshare.api.publishers import PublisherRecord
from hashshare.api.status import OrganisationRecord
from hashshare.selectors.callers import Caller
from hashshare.selectors.hub import descriptor
from hashshare.selectors.publishers import publishers
from hashshare.services.invitations import enrol
from hashshare.wire.errors import BadRequestSignature
from hashshare.wire.keys import PUBLIC_KEY_BYTES, fingerprint


class EnrolmentRequest(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=100)
    public_key = Base64Field(length=PUBLIC_KEY_BYTES, help_text="Raw Ed25519 public key, 32 bytes, base64")
    key_name = serializers.CharField(max_length=200, allow_blank=True, default="")


class EnrolledKey(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="The key's fingerprint")
    not_after = serializers.DateTimeField(allow_null=True, help_text="Introduce the next one before: POST keys")


class EnrolmentRecord(serializers.Serializer[Any]):
    organisation = OrganisationRecord()
    key = EnrolledKey()
    hub = HubDescriptor()
    publishers = PublisherRecord(many=True)


class Enrolments(Endpoint):
    """One-time code and public key, signed with that key, so that nobody enrols a key that is not theirs.

    The same code and key may be sent again and answer the same with 200; no nonce is kept, since repeating changes
    nothing.
    """

    who = {"POST": ANYBODY}
    authentication_classes = ()

    @extend_schema(request=EnrolmentRequest, responses={200: EnrolmentRecord, 201: EnrolmentRecord})
    def post(self, request: Request) -> Response:
        # The digest is of the body's bytes, which Django gives only as long as nobody has parsed the stream.
        bounded_body(request._request)
        asked, now = validated(EnrolmentRequest, request), timezone.now()
        signed = checked_signature(request._request, public_key=asked["public_key"], now=now)
        if signed.keyid != fingerprint(asked["public_key"]):
            raise BadRequestSignature("The request is signed by another key than the one it brings.")
        enrolled = enrol(code=asked["code"], public_key=asked["public_key"], key_name=asked["key_name"], now=now)
        caller = Caller(enrolled.organisation, "signature", enrolled.key.fingerprint)
        document = {
            "organisation": enrolled.organisation,
            "key": {"id": enrolled.key.fingerprint, "not_after": enrolled.key.not_after},
            "hub": descriptor(now=now),
            "publishers": publishers(caller=caller),
        }
        return answer(EnrolmentRecord, document, status=201 if enrolled.created else 200)
