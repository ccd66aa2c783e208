"""An organisation's keys: which there are, a further one, a code for a second machine, and ending one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.access_keys import AccessKeyRecord
from hashshare.api.endpoint import Endpoint, answer, caller_of, validated
from hashshare.api.fields import Base64Field
from hashshare.api.permissions import READERS, SIGNERS
from hashshare.selectors.keys import OwnKey, own_keys, shown
from hashshare.services.introductions import introduce_key, invite_machine
from hashshare.services.keys import MAX_KEY_DAYS, MAX_OVERLAP, end_key
from hashshare.wire.introductions import PROOF_BYTES
from hashshare.wire.keys import PUBLIC_KEY_BYTES

HOUR = timedelta(hours=1)


class KeyRecord(serializers.Serializer[Any]):
    id = serializers.CharField(source="fingerprint")
    name = serializers.CharField()
    state = serializers.CharField(help_text="active, waiting (its window is still to begin), expired or revoked")
    holder = serializers.CharField(help_text="Who answers for it; empty if nobody was named")
    introduced_by = serializers.CharField(help_text="The key that vouched for it; empty if an operator's code did")
    created_at = serializers.DateTimeField()
    not_before = serializers.DateTimeField(allow_null=True)
    not_after = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_seen_at = serializers.DateTimeField(allow_null=True)


class KeyList(serializers.Serializer[Any]):
    keys = KeyRecord(many=True)


class KeyIntroduction(serializers.Serializer[Any]):
    public_key = Base64Field(length=PUBLIC_KEY_BYTES, help_text="Raw Ed25519 public key, 32 bytes, base64")
    proof = Base64Field(
        length=PROOF_BYTES,
        help_text="The new key's signature of the lines `hashshare-key-introduction/1`, the hub's public address, the "
        "id of the key that signs this request and the id of the new key, each ended by a line feed",
    )
    name = serializers.CharField(max_length=200)
    days = serializers.IntegerField(min_value=1, max_value=MAX_KEY_DAYS, default=365)
    not_before = serializers.DateTimeField(required=False, allow_null=True, help_text="Within 90 days; now if absent")


class MachineInvitationRequest(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200, help_text="What the machine's key will be called")
    holder = serializers.EmailField(max_length=254, allow_blank=True, default="", help_text="Who will answer for it")


class MachineInvitation(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="For POST enrolments; shown this once")
    expires_at = serializers.DateTimeField()


class KeyRevocationRequest(serializers.Serializer[Any]):
    after_hours = serializers.IntegerField(
        min_value=0, max_value=MAX_OVERLAP // HOUR, default=0, help_text="How long it still opens doors; 0: at once"
    )
    introduced = serializers.BooleanField(
        default=False, help_text="Also revoke, at once, the keys and access keys that it brought"
    )
    keep_access_keys = serializers.BooleanField(
        default=False, help_text="Leave the access keys that it made, which otherwise end with a key revoked at once"
    )
    last = serializers.BooleanField(default=False, help_text="Even if your organisation is left without any key")


class KeyRevocation(serializers.Serializer[Any]):
    key = KeyRecord()
    ended = KeyRecord(many=True, help_text="What it had introduced and was revoked with it")
    left = KeyRecord(many=True, help_text="What it had introduced and goes on")
    access_keys = AccessKeyRecord(many=True, help_text="What was made with these and was revoked with them")
    access_keys_left = AccessKeyRecord(many=True, help_text="What was made with it and goes on")


@dataclass(frozen=True, slots=True)
class _Ended:
    key: OwnKey
    ended: list[OwnKey]
    left: list[OwnKey]
    access_keys: Sequence[Any]
    access_keys_left: Sequence[Any]


class Keys(Endpoint):
    """The organisation's keys, ended ones included; and introducing one by a request signed with one in force.

    The same key may be introduced again and answers the same with 200. At most 20 keys and open codes at a time.
    """

    who = {"GET": READERS, "POST": SIGNERS}

    @extend_schema(responses=KeyList)
    def get(self, request: Request) -> Response:
        return answer(KeyList, {"keys": own_keys(caller=caller_of(request), now=timezone.now())})

    @extend_schema(request=KeyIntroduction, responses={200: KeyRecord, 201: KeyRecord})
    def post(self, request: Request) -> Response:
        asked, now = validated(KeyIntroduction, request), timezone.now()
        key, new = introduce_key(caller=caller_of(request), now=now, **asked)
        return answer(KeyRecord, shown([key], now=now)[0], status=201 if new else 200)


class KeyInvitations(Endpoint):
    """A one-time code, good for a day, with which a second machine of the same organisation enrols a key of its own."""

    who = {"POST": SIGNERS}

    @extend_schema(request=MachineInvitationRequest, responses={201: MachineInvitation})
    def post(self, request: Request) -> Response:
        asked = validated(MachineInvitationRequest, request)
        invitation, code = invite_machine(caller=caller_of(request), now=timezone.now(), **asked)
        made = {"code": code, "expires_at": invitation.expires_at}
        return answer(MachineInvitation, made, status=201, headers={"Cache-Control": "no-store"})


class KeyRevocations(Endpoint):
    """Ending a key of the caller's own, at once or after an overlap; repeating it is harmless.

    In the address, the key's id has `-` for `+` and `_` for `/`. The last key in force ends only with `last`.
    """

    who = {"POST": SIGNERS}

    @extend_schema(request=KeyRevocationRequest, responses=KeyRevocation)
    def post(self, request: Request, fingerprint: str) -> Response:
        asked, now = validated(KeyRevocationRequest, request), timezone.now()
        ending = end_key(
            caller=caller_of(request),
            fingerprint=fingerprint.replace("-", "+").replace("_", "/"),
            now=now,
            after=asked["after_hours"] * HOUR,
            introduced=asked["introduced"],
            keep_access_keys=asked["keep_access_keys"],
            last=asked["last"],
        )
        [key] = shown([ending.key], now=now)
        ended, left = shown(ending.ended, now=now), shown(ending.left, now=now)
        told = _Ended(key, ended, left, ending.access_keys, ending.access_keys_left)
        return answer(KeyRevocation, told)
