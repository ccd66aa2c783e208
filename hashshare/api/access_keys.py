"""Access keys: read-only secrets for curl and other people's clients, shown once."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of, validated
from hashshare.api.permissions import READERS, SIGNERS
from hashshare.selectors.access_keys import access_keys
from hashshare.services.access_keys import MAX_DAYS, create_access_key, revoke_access_key


class AccessKeyRequest(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200)
    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=90)


class AccessKeyRecord(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How the key begins, to tell keys apart")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewAccessKey(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    key = serializers.CharField(help_text="Shown this once; only a digest of it is kept")
    expires_at = serializers.DateTimeField()


class AccessKeyList(serializers.Serializer[Any]):
    access_keys = AccessKeyRecord(many=True)


class AccessKeys(Endpoint):
    """The organisation's access keys, without their secrets; and making a new one."""

    who = {"GET": READERS, "POST": SIGNERS}

    @extend_schema(responses=AccessKeyList)
    def get(self, request: Request) -> Response:
        return answer(AccessKeyList, {"access_keys": access_keys(caller=caller_of(request))})

    @extend_schema(request=AccessKeyRequest, responses={201: NewAccessKey})
    def post(self, request: Request) -> Response:
        asked = validated(AccessKeyRequest, request)
        row, text = create_access_key(caller=caller_of(request), now=timezone.now(), **asked)
        made = {"id": row.pk, "key": text, "expires_at": row.expires_at}
        return answer(NewAccessKey, made, status=201, headers={"Cache-Control": "no-store"})


class OneAccessKey(Endpoint):
    """Revoking an access key of the caller's own; repeating it is harmless."""

    who = {"DELETE": SIGNERS}

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, access_key_id: uuid.UUID) -> Response:
        revoke_access_key(caller=caller_of(request), access_key_id=access_key_id, now=timezone.now())
        return Response(status=204)
