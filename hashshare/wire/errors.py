"""The one exception tree of hashshare.

Pure code and services raise these; one place in the API turns them into RFC 9457 problem documents (`slug` becomes the
problem type, `status` the HTTP status); the command line prints the message and `next_step` and exits with `exit_code`.
A class's docstring is its default message, so each reads as a sentence for the person who meets it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any, ClassVar


class ExitCode(enum.IntEnum):
    """What the `hashshare` command's exit status means; part of its interface, so never renumbered."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_ALLOWED = 3
    VERIFICATION = 4
    NETWORK = 5
    REJECTED = 6
    ALARM = 7


class HashshareError(Exception):
    """Something went wrong inside hashshare."""

    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    next_step: str = ""

    def __init__(self, message: str = "", *, next_step: str = "", **facts: Any) -> None:
        """`facts` are further members of the problem document: plain JSON values, never secrets."""
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.facts = facts
        if next_step:
            self.next_step = next_step

    @property
    def message(self) -> str:
        return str(self.args[0])


# --- Usage: the caller asked for something that makes no sense ---------------------------------------------------


class UsageError(HashshareError):
    """The request cannot be understood."""

    slug, title, status = "invalid-request", "Invalid request", 400
    exit_code = ExitCode.USAGE


class BadHash(UsageError):
    """That text is not a hash of this algorithm."""

    slug, title = "bad-hash", "Not a hash"


class UnknownAlgorithm(UsageError):
    """No such hash algorithm is known."""

    slug, title = "unknown-algorithm", "Unknown algorithm"


class BadInput(UsageError):
    """The file has lines that cannot be published."""

    slug, title, status = "bad-input", "Malformed input file", 422
    exit_code = ExitCode.REJECTED


class InsecureTransport(UsageError):
    """The hub's address is plain http:// on a network; credentials are only sent over https://."""

    slug, title = "insecure-transport", "Insecure transport"
    next_step = "Use the hub's https:// address."


class NotSynced(UsageError):
    """No such list is held here."""

    slug, title = "not-synced", "List not held"
    next_step = "`hashshare status` shows what is held; `hashshare sync` fetches what you are subscribed to."


# --- Not allowed ------------------------------------------------------------------------------------------------


class NotAllowed(HashshareError):
    """You may not do that."""

    slug, title, status = "not-allowed", "Not allowed", 403
    exit_code = ExitCode.NOT_ALLOWED


class NotEnrolled(NotAllowed):
    """This machine is not enrolled at a hub."""

    slug, title = "not-enrolled", "Not enrolled"
    next_step = "Run: hashshare enroll URL CODE"


class NotAuthenticated(NotAllowed):
    """The request carries no credentials that this hub accepts."""

    slug, title, status = "not-authenticated", "Not authenticated", 401
    next_step = "The key or token may have ended or been revoked: `hashshare doctor` says what to do."


class BadRequestSignature(NotAuthenticated):
    """The request's signature does not verify."""

    slug, title = "bad-request-signature", "Request signature refused"


class ReplayedRequest(NotAuthenticated):
    """A request with this nonce was already accepted."""

    slug, title = "replayed-request", "Replayed request"
    next_step = "Sign a new request; each nonce is accepted once."


class StaleSignature(NotAuthenticated):
    """The request was signed too long ago, or by a clock that is wrong."""

    slug, title = "stale-signature", "Stale request signature"
    next_step = "Set this machine's clock (300 seconds are allowed either way)."


class InvitationInvalid(NotAllowed):
    """This invitation code is unknown, used or out of date."""

    slug, title = "invitation-invalid", "Invitation refused"
    next_step = "Ask the hub's operator for a new invitation."


class NotEntitled(NotAllowed):
    """Nothing that your organisation may use is at this address."""

    slug, title = "not-entitled", "Not entitled"


class NotRedistributed(NotAllowed):
    """The publisher of the list does not let it be passed on there."""

    slug, title = "not-redistributed", "Not to be passed on"


class NotAPeer(NotAllowed):
    """This is for hubs that are accepted here as peers, and that are not suspended."""

    slug, title = "not-a-peer", "Not a peer"


class FourEyes(NotAllowed):
    """What somebody uploads or submits, somebody else of the same hotline approves."""

    slug, title = "four-eyes", "Another analyst must approve"
    next_step = "Ask a second analyst of your hotline to look at it. Nothing was changed."


class TermsNotAccepted(NotAllowed):
    """The list's terms must be accepted as they now stand."""

    slug, title = "terms-not-accepted", "Terms not accepted"


class NotFound(HashshareError):
    """There is no such thing here."""

    slug, title, status = "not-found", "Not found", 404
    exit_code = ExitCode.USAGE


class MethodNotAllowed(UsageError):
    """This address does not answer that method."""

    slug, title, status = "method-not-allowed", "Method not allowed", 405


class Conflict(HashshareError):
    """Something else has changed in between."""

    slug, title, status = "conflict", "Conflict", 409
    exit_code = ExitCode.REJECTED
    next_step = "Look at the current state and try again."


class VersionConflict(Conflict):
    """The committed version is not the one after the current version."""

    slug, title = "version-conflict", "Version conflict"


class StaleRequest(Conflict):
    """The signing request follows metadata that no longer stands."""

    slug, title = "stale-signing-request", "Signing request is out of date"
    next_step = "Nothing was changed. Make the request anew where it was made; signatures on this one are lost."


class LastKey(Conflict):
    """It is the last key with which your organisation can reach the hub."""

    slug, title = "last-key", "Last key in force"
    next_step = "Introduce another first (`hashshare key rotate`, `hashshare key add`), or say that this is meant."


class DraftMoved(Conflict):
    """The upload has gone on since this page was opened. Nothing was done."""

    slug, title = "draft-moved", "The upload has gone on"
    next_step = "Look at it as it stands now."


class Mirrored(Conflict):
    """The publisher's repository is a copy of another hub's: nothing can be published here."""

    slug, title = "mirrored", "Copied from another hub"
    next_step = "Publish at the hub where the publisher is at home; this one follows."


class NotStandbyHub(Conflict):
    """The publisher's root does not name this hub's key: whatever was signed with it, members would refuse."""

    slug, title = "not-standby-hub", "Not named in the root"
    next_step = "Only the publisher's officers can name it: hashshare publisher standby-hub DOMAIN --hub URL"


class StillServed(Conflict):
    """The publisher's own hub is alive and signs for it."""

    slug, title = "still-served", "Its own hub is alive"
    next_step = "If both signed, members who have seen the one would refuse the other as a rollback."


class TakenHere(Conflict):
    """What the peer offers is at home at this hub, or comes here from another peer. It is not taken from this one."""

    slug, title = "taken-here", "At home elsewhere"
    next_step = "Ask the peer's operator how it came by it. Nothing that is here was changed."


class OfferedBack(Conflict):
    """The peer offers what reached it through this hub."""

    slug, title = "offered-back", "Offered back"


class StaleReport(Conflict):
    """A newer report of the same peer was taken before."""

    slug, title = "stale-report", "Older report"


class HostedKeyLost(Conflict):
    """The hub does not have the key of a list that it should sign for its hotline."""

    slug, title = "hosted-key-lost", "Hosted key lost"
    next_step = "The operator restores hosted.pem; or the hotline runs: hashshare publisher list host LIST --new-key"


class PreconditionRequired(UsageError):
    """A commit names the version it follows in If-Match."""

    slug, title, status = "precondition-required", "Precondition required", 428


class AlreadyThere(HashshareError):
    """This list already has that object."""

    slug, title, status = "already-there", "Already there", 412
    exit_code = ExitCode.DONE


class TooLarge(UsageError):
    """The request body is larger than this hub accepts."""

    slug, title, status = "too-large", "Too large", 413


class UnsupportedMediaType(UsageError):
    """The request body is of a type that this address does not read."""

    slug, title, status = "unsupported-media-type", "Unsupported media type", 415


class TooManyRequests(HashshareError):
    """Your organisation has sent more requests than its limit."""

    slug, title, status = "too-many-requests", "Too many requests", 429
    exit_code = ExitCode.NETWORK
    next_step = "Wait as long as Retry-After says."


# --- Verification: what somebody signed or sent is not what it should be ------------------------------------------


class VerificationFailed(HashshareError):
    """What was received does not verify; the last good state stays in use."""

    slug, title, status = "verification-failed", "Verification failed", 422
    exit_code = ExitCode.VERIFICATION


class BadSignature(VerificationFailed):
    """The metadata lacks enough valid signatures of the keys that may sign it."""

    slug, title = "signature-threshold", "Not enough valid signatures"


class RootReplaced(VerificationFailed):
    """The hub serves another first root of the publisher than the one that is trusted here."""

    slug, title = "root-replaced", "Another first root"


class ListForked(VerificationFailed):
    """Two different contents were signed for the same version of the list."""

    slug, title = "list-forked", "List was forked"


class ExpiredMetadata(VerificationFailed):
    """The signed metadata has expired."""

    slug, title = "expired-metadata", "Expired metadata"


class MalformedMetadata(VerificationFailed):
    """The signed metadata does not have the shape that is required."""

    slug, title = "malformed-metadata", "Malformed metadata"


class MalformedRequest(VerificationFailed):
    """The signing request does not have the shape that is required."""

    slug, title = "malformed-signing-request", "Malformed signing request"
    next_step = "Sign nothing of it. Copy it again from where it was made, or ask for a new one."


class MalformedManifest(VerificationFailed):
    """The manifest does not have the shape that is required."""

    slug, title = "malformed-manifest", "Malformed manifest"


class MalformedMajor(VerificationFailed):
    """The major document does not have the shape that is required."""

    slug, title = "malformed-major", "Malformed major document"


class UnknownRequirement(VerificationFailed):
    """The list uses a feature that this version of hashshare does not know."""

    slug, title = "unknown-requirement", "Newer version needed"
    next_step = "Upgrade hashshare; until then the last good state stays in use."


class MalformedSegment(VerificationFailed):
    """A segment is not what the format says."""

    slug, title = "malformed-segment", "Malformed segment"


class WrongDigest(VerificationFailed):
    """The bytes do not have the digest or length that was announced."""

    slug, title = "wrong-digest", "Wrong digest"


class MissingObject(VerificationFailed):
    """The manifest names an object that was not uploaded."""

    slug, title = "missing-object", "Missing object"


class RejectedContent(VerificationFailed):
    """The release breaks a rule about its content."""

    slug, title = "rejected-content", "Rejected content"
    exit_code = ExitCode.REJECTED


class WithdrawnKey(RejectedContent):
    """The release would bring back entries that were withdrawn."""

    slug, title = "withdrawn-key", "Withdrawn entry published again"
    next_step = "Leave these entries out, or name each with --reinstate if it really is right again."


class GuardedHash(RejectedContent):
    """The release names a digest known to be harmless, such as that of the empty file."""

    slug, title = "guarded-hash", "Known harmless digest"
    next_step = "Remove these rows: they would match harmless files everywhere."


class NotLive(RejectedContent):
    """The release withdraws entries that the list does not hold."""

    slug, title = "not-live", "Withdrawal of an entry that is not held"


class WrongFold(RejectedContent):
    """A merged segment or a base is not the fold of what it replaces."""

    slug, title = "wrong-fold", "Merge differs from its parts"


class ContradictedFold(WrongFold):
    """A merged segment or a base contradicts the parts that are held here."""

    slug, title = "contradicted-fold", "Merge contradicts what is held"
    exit_code = ExitCode.VERIFICATION


class TooManyWithdrawals(RejectedContent):
    """The publication would withdraw more entries than was allowed."""

    slug, title = "too-many-withdrawals", "Too many withdrawals"
    next_step = "If this is meant, say how many: --allow-withdrawals N."


class MajorRequired(RejectedContent):
    """The release takes more entries from the list than its feed key may take alone."""

    slug, title = "major-required", "Major signature needed"
    next_step = (
        "If it is meant, publish it again with the signatures of two holders of the publisher's major keys. If you "
        "did not publish this, the feed key is in other hands: stop, and replace it."
    )


class LargeLoss(VerificationFailed):
    """The list would lose too much of what is held here, and no major signature covers it."""

    slug, title = "large-loss", "Large loss refused"


class MalformedLog(VerificationFailed):
    """Something of a log (a checkpoint, a tile, a receipt or a row) does not have the shape that is required."""

    slug, title = "malformed-log", "Malformed log"


class LogForked(VerificationFailed):
    """The log is not shown to extend the one seen before: it shrank, or what it held was rewritten."""

    slug, title = "log-forked", "Log shrank or forked"
    next_step = "Keep both checkpoints and show them to the list's publisher: together they prove it."


class LogKeyChanged(VerificationFailed):
    """The hub signs its log with another key than the one seen before."""

    slug, title = "log-key-changed", "Log key changed"
    next_step = "Ask the hub's operator, by another channel than the hub, whether the key was replaced and why."


class WrongProof(VerificationFailed):
    """The proof does not lead to the log's root."""

    slug, title = "wrong-proof", "Wrong proof"


class WrongOpening(VerificationFailed):
    """The row is not the one that the log's entry stands for."""

    slug, title = "wrong-opening", "Wrong opening"


class MissingOpening(VerificationFailed):
    """The hub does not say what an entry of the log stands for."""

    slug, title = "missing-opening", "Missing opening"
    next_step = "Ask the hub's operator what became of it; whom it is about can show a receipt."


class MalformedAcknowledgement(VerificationFailed):
    """The acknowledgement does not have the shape that is required."""

    slug, title = "malformed-acknowledgement", "Malformed acknowledgement"


class MalformedDescriptor(VerificationFailed):
    """What the hub says of itself does not have the shape that is required."""

    slug, title = "malformed-descriptor", "Malformed hub descriptor"


class MalformedOffers(VerificationFailed):
    """What a peer offers does not have the shape that is required."""

    slug, title = "malformed-offers", "Malformed offers of a peer"


class MalformedReport(VerificationFailed):
    """What a peer reports of its members does not have the shape that is required."""

    slug, title = "malformed-report", "Malformed report of a peer"


class PeerDiffers(VerificationFailed):
    """The hub at that address is not the one that was accepted: it shows another key or name."""

    slug, title = "peer-differs", "Another hub answers"
    next_step = "Call the peer's operator, at a number that you had before, and compare fingerprints again."


class UnknownRelease(VerificationFailed):
    """The hub never published that version with that manifest."""

    slug, title = "unknown-release", "Unknown release"
    next_step = "Nothing was recorded. Run: hashshare sync"


class BadBackup(VerificationFailed):
    """This is not a whole backup of a hub. Nothing was changed."""

    slug, title = "bad-backup", "Backup refused"


# --- Network ----------------------------------------------------------------------------------------------------


class NetworkError(HashshareError):
    """The hub cannot be reached."""

    slug, title, status = "network", "Network error", 502
    exit_code = ExitCode.NETWORK
    next_step = "Nothing was changed here; run the command again later."


class TooSlow(NetworkError):
    """The hub sends so slowly that its answer was given up."""

    slug, title = "too-slow", "Too slow"
    next_step = "What came is kept, and the next run goes on from there. If it lasts, tell the hub's operator."


class StorageUnavailable(NetworkError):
    """The hub's storage is out of reach or full. Nothing was published or changed."""

    slug, title, status = "storage-unavailable", "Storage unavailable", 503


class AddressRefused(NetworkError):
    """It leads to an address at which this hub asks nothing."""

    slug, title = "address-refused", "Address refused"
    next_step = "Nothing was asked there. Ask the other hub's operator why; docs/federation.md says what is allowed."


class HubRestored(NetworkError):
    """The hub was restored from a backup and may lack what it served since. Until it has that, it changes nothing."""

    slug, title, status = "restored", "Restored from a backup", 503
    next_step = (
        "Nothing is lost here. The hub's operator runs manage.py recover, then publishers' programs send what it lacks."
    )


class HubFailure(NetworkError):
    """The hub answered with an error of its own."""

    slug, title = "hub-failure", "The hub failed"


def all_errors() -> Iterator[type[HashshareError]]:
    """Every class of the tree, the root first; the problem pages and the client's decoder are made from this."""
    stack: list[type[HashshareError]] = [HashshareError]
    while stack:
        error = stack.pop(0)
        yield error
        stack.extend(error.__subclasses__())


def error_for(slug: str) -> type[HashshareError] | None:
    """The class whose problem type ends in `slug`, or None for one that this version does not know."""
    return next((error for error in all_errors() if error.slug == slug), None)
