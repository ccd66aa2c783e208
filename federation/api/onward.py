"""Subscriptions across hubs: for hotlines, the hubs that receive their lists and these hubs' members; for hubs, what
they relay of their members and what was decided.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from federation.api.doors import HUBS, SIGNING_HUBS
from federation.selectors.hub_pages import MOST, page_of_hubs
from federation.selectors.onward import decisions_of
from federation.services.onward import (
    MOST_ASKED,
    Asked,
    decide_member_request,
    set_hub_terms,
    take_requests,
)
from hashshare.api.endpoint import Endpoint, answer, caller_of, validated
from hashshare.api.fields import number_parameter
from hashshare.api.permissions import HOTLINES, SIGNING_HOTLINES
from hashshare.api.subscriptions import DecisionRequest

EVIDENCE = ["documents", "counts", ""]
MEMBERS = ["each", "hub"]


class HubMemberRecord(serializers.Serializer[Any]):
    """A member of another hub and what it asked for. `state`: requested, active, denied, revoked, closed (ended at its
    hub) or left (to its hub).
    """

    organisation = serializers.CharField(source="slug")
    name = serializers.CharField()
    kind = serializers.CharField()
    country = serializers.CharField()
    sector = serializers.CharField()
    state = serializers.CharField()
    suspended = serializers.BooleanField(help_text="By its hub: it receives nothing while that lasts")
    terms_digest = serializers.CharField()
    requested_at = serializers.DateTimeField(help_text="As its hub says")
    decided_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class SubscribedHubRecord(serializers.Serializer[Any]):
    """A hub that asked for the list. `crosses`: why nothing may go to it, empty if it may."""

    hub = serializers.CharField(source="name")
    organisation = serializers.CharField(source="organisation.slug")
    country = serializers.CharField(source="organisation.country")
    state = serializers.CharField(source="subscription.state")
    requested_at = serializers.DateTimeField(source="subscription.requested_at")
    ends_at = serializers.DateTimeField(source="subscription.ends_at", allow_null=True)
    members = serializers.CharField(source="terms.members", help_text="Who decides on its members: each or hub")
    evidence = serializers.CharField(source="terms.evidence", help_text="Empty: as the hubs agreed")
    crosses = serializers.CharField()
    waiting = serializers.IntegerField(help_text="Its members' requests that wait for a decision, on whatever page")
    requests = HubMemberRecord(many=True)


class HubList(serializers.Serializer[Any]):
    """Hubs by their short names, each with its members' requests, the newest first. One whose requests do not fit on
    the page stands on the next one again, with those that follow.
    """

    peers = SubscribedHubRecord(many=True, source="hubs")
    next = serializers.CharField(help_text="What to ask for as `after`; empty when there is no more")


class TermsRequest(serializers.Serializer[Any]):
    members = serializers.ChoiceField(choices=MEMBERS)
    evidence = serializers.ChoiceField(choices=EVIDENCE, required=False, allow_blank=True, default="")


class TermsRecord(serializers.Serializer[Any]):
    members = serializers.CharField()
    evidence = serializers.CharField()
    changed_at = serializers.DateTimeField()


class Hubs(Endpoint):
    """The hubs that receive the hotline's list or asked for it, and what their members ask for."""

    who = {"GET": HOTLINES}

    @extend_schema(
        operation_id="list_peers",
        parameters=[
            OpenApiParameter("after", str, description="What the page before had as `next`"),
            OpenApiParameter("limit", int, description=f"Hubs and requests, at most {MOST}; 100 when it is not said"),
        ],
        responses=HubList,
    )
    def get(self, request: Request, domain: str, slug: str) -> Response:
        page = page_of_hubs(
            caller=caller_of(request),
            domain=domain,
            slug=slug,
            after=request.query_params.get("after", ""),
            limit=number_parameter(request, "limit", default=100, least=1, most=MOST),
            now=timezone.now(),
        )
        return answer(HubList, page)


class TermsOfHub(Endpoint):
    """The hotline's choice for a hub: who decides on its members, and what it tells of them."""

    who = {"PUT": SIGNING_HOTLINES}

    @extend_schema(operation_id="set_peer_terms", request=TermsRequest, responses=TermsRecord)
    def put(self, request: Request, domain: str, slug: str, hub: str) -> Response:
        asked = validated(TermsRequest, request)
        row = set_hub_terms(caller=caller_of(request), domain=domain, slug=slug, hub=hub, now=timezone.now(), **asked)
        return answer(TermsRecord, row)


class MemberDecision(Endpoint):
    """The hotline grants, denies or revokes what a member of another hub asked for."""

    who = {"POST": SIGNING_HOTLINES}

    @extend_schema(operation_id="decide_peer_request", request=DecisionRequest, responses=HubMemberRecord)
    def post(self, request: Request, domain: str, slug: str, hub: str, organisation: str) -> Response:
        asked = validated(DecisionRequest, request)
        row = decide_member_request(
            caller=caller_of(request),
            domain=domain,
            slug=slug,
            hub=hub,
            organisation=organisation,
            now=timezone.now(),
            **asked,
        )
        return answer(HubMemberRecord, row)


# --- Between hubs ------------------------------------------------------------------------------------------------


class RelayedOrganisation(serializers.Serializer[Any]):
    slug = serializers.RegexField(r"^[a-z0-9][a-z0-9_-]{0,62}$")
    name = serializers.CharField(max_length=200)
    country = serializers.RegexField(r"^[A-Z]{2}$")
    sector = serializers.CharField(max_length=80, allow_blank=True, default="")
    kind = serializers.ChoiceField(choices=["member", "hotline", "partner"])


class RelayedRequest(serializers.Serializer[Any]):
    """`id`: of the request at the hub that relays it. Told again, it changes nothing."""

    id = serializers.UUIDField()
    list = serializers.CharField(max_length=320)
    organisation = RelayedOrganisation()
    terms_digest = serializers.RegexField(r"^[0-9a-f]{64}$", help_text="SHA-256 of the terms that the member accepted")
    requested_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=["requested", "suspended", "closed"])


class RelayedRequests(serializers.Serializer[Any]):
    requests = serializers.ListField(child=RelayedRequest(), min_length=1, max_length=MOST_ASKED)


class TakenRecord(serializers.Serializer[Any]):
    """`state` as it stands at the list's home; empty where it was not taken, with the reason in `refused`."""

    id = serializers.CharField()
    state = serializers.CharField()
    refused = serializers.CharField()


class TakenRequests(serializers.Serializer[Any]):
    requests = TakenRecord(many=True)


class Requests(Endpoint):
    """What a hub relays of its members' requests for lists that are at home here."""

    who = {"POST": SIGNING_HUBS}

    @extend_schema(operation_id="relay_requests", request=RelayedRequests, responses=TakenRequests)
    def post(self, request: Request) -> Response:
        asked = [_asked(each) for each in validated(RelayedRequests, request)["requests"]]
        taken = take_requests(caller=caller_of(request), asked=asked, now=timezone.now())
        return answer(TakenRequests, {"requests": taken})


class ToldTermsRecord(serializers.Serializer[Any]):
    """Of a list that the hub has been granted. `given`: whether it is served; else `why` says why not."""

    list = serializers.CharField()
    given = serializers.BooleanField()
    why = serializers.CharField()
    members = serializers.CharField(source="terms.members", help_text="Who decides on the hub's members: each or hub")
    evidence = serializers.CharField(source="terms.evidence", help_text="Empty: as the hubs agreed")


class ToldDecisionRecord(serializers.Serializer[Any]):
    """`id` is the request's at the hub that relayed it; `state`: active, denied or revoked."""

    number = serializers.IntegerField()
    id = serializers.CharField(source="origin")
    list = serializers.CharField(source="list.name")
    state = serializers.CharField()
    decided_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class DecisionList(serializers.Serializer[Any]):
    """`newest`: the number of the last decision for the hub. With fewer in `decisions` than up to there, ask again."""

    terms = ToldTermsRecord(many=True)
    decisions = ToldDecisionRecord(many=True)
    newest = serializers.IntegerField()


class Decisions(Endpoint):
    """What publishers chose for the calling hub, and what they decided on its members since."""

    who = {"GET": HUBS}

    @extend_schema(
        operation_id="decisions",
        parameters=[OpenApiParameter("since", int, description="The last number that is known; 0 for all")],
        responses=DecisionList,
    )
    def get(self, request: Request) -> Response:
        since = number_parameter(request, "since", default=0)
        return answer(DecisionList, decisions_of(caller=caller_of(request), since=since, now=timezone.now()))


def _asked(each: dict[str, Any]) -> Asked:
    organisation = each.pop("organisation")
    return Asked(**each, **organisation)
