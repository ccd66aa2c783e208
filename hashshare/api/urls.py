"""The addresses of the API, below /api/v1/."""

from django.urls import path, re_path

from hashshare.api.access_keys import AccessKeys, OneAccessKey
from hashshare.api.acknowledgements import Acknowledgements
from hashshare.api.commits import Commits
from hashshare.api.description import docs_page
from hashshare.api.drafts import DraftFile, DraftOutcome, Drafts
from hashshare.api.enrolments import Enrolments
from hashshare.api.heads import HeadsEndpoint
from hashshare.api.hosting import HostedFeeds, HostedKeys
from hashshare.api.jobs import Jobs
from hashshare.api.keys import KeyInvitations, KeyRevocations, Keys
from hashshare.api.lists import Lists, OneList
from hashshare.api.logs import Audit, Consistency, LogCheckpoint, LogTile, Successions
from hashshare.api.metadata import MetadataFile
from hashshare.api.problems import nothing_here
from hashshare.api.propagation import PropagationEndpoint
from hashshare.api.publishers import OnePublisher, Publishers
from hashshare.api.receipts import Receipts
from hashshare.api.releases import OneRelease, Releases
from hashshare.api.resumption import Resumption
from hashshare.api.sandbox import SandboxFiles
from hashshare.api.schema import schema_document
from hashshare.api.status import Status
from hashshare.api.subscriptions import Decision, Subscriptions
from hashshare.api.targets import Target
from hashshare.api.tokens import Tokens

A_LIST = "lists/<str:domain>/<str:slug>"

urlpatterns = [
    path("heads", HeadsEndpoint.as_view(), name="heads"),  # first, since it is asked for most
    path("enrolments", Enrolments.as_view(), name="enrolments"),
    path("tokens", Tokens.as_view(), name="tokens"),
    path("publishers", Publishers.as_view(), name="publishers"),
    path("publishers/<str:domain>", OnePublisher.as_view(), name="publisher"),
    path("publishers/<str:domain>/resumption", Resumption.as_view(), name="resumption"),
    path("tuf/<str:domain>/metadata/<str:filename>", MetadataFile.as_view(), name="metadata"),
    path("tuf/<str:domain>/targets/<str:list_id>/<slug:digest>.<str:name>", Target.as_view(), name="target"),
    path("tuf/<str:domain>/commits", Commits.as_view(), name="commits"),
    path("jobs/<uuid:job_id>", Jobs.as_view(), name="job"),
    path("lists", Lists.as_view(), name="lists"),
    path(A_LIST, OneList.as_view(), name="list"),
    path(f"{A_LIST}/subscriptions", Subscriptions.as_view(), name="subscriptions"),
    path(f"{A_LIST}/subscriptions/<str:organisation>/decision", Decision.as_view(), name="decision"),
    path(f"{A_LIST}/releases", Releases.as_view(), name="releases"),
    path(f"{A_LIST}/releases/<int:version>", OneRelease.as_view(), name="release"),
    path(f"{A_LIST}/drafts", Drafts.as_view(), name="drafts"),
    path(f"{A_LIST}/drafts/<uuid:draft_id>/file", DraftFile.as_view(), name="draft-file"),
    path(f"{A_LIST}/drafts/<uuid:draft_id>/outcome", DraftOutcome.as_view(), name="draft-outcome"),
    path(f"{A_LIST}/hosted-keys", HostedKeys.as_view(), name="hosted-keys"),
    path(f"{A_LIST}/hosted-feeds", HostedFeeds.as_view(), name="hosted-feeds"),
    path(f"{A_LIST}/propagation", PropagationEndpoint.as_view(), name="propagation"),
    path("acknowledgements", Acknowledgements.as_view(), name="acknowledgements"),
    path("receipts", Receipts.as_view(), name="receipts"),
    path("log/<str:domain>/audit", Audit.as_view(), name="audit"),
    path("log/<str:domain>/consistency", Consistency.as_view(), name="consistency"),
    path("log/<str:domain>/checkpoint", LogCheckpoint.as_view(), name="log-checkpoint"),
    path("log/<str:domain>/successions", Successions.as_view(), name="successions"),
    path("log/<str:domain>/tile/<path:path>", LogTile.as_view(), name="log-tile"),
    path("access-keys", AccessKeys.as_view(), name="access-keys"),
    path("access-keys/<uuid:access_key_id>", OneAccessKey.as_view(), name="access-key"),
    path("keys", Keys.as_view(), name="keys"),
    path("keys/invitations", KeyInvitations.as_view(), name="key-invitations"),
    re_path(
        r"^keys/(?P<fingerprint>SHA256:[A-Za-z0-9_-]{43})/revocation$", KeyRevocations.as_view(), name="key-revocations"
    ),
    path("sandbox/files", SandboxFiles.as_view(), name="sandbox-files"),
    path("status", Status.as_view(), name="status"),
    path("schema", schema_document, name="schema"),
    path("docs", docs_page, name="docs"),
    re_path(r"", nothing_here, name="nothing-here"),
]
