"""What each problem type means and what to do about it, in words for the person who meets it.

Read by the problem pages and by the documentation made of them. Only text lives here; a type itself is a class of
`wire.errors`, which speaks for itself where nothing is said here.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Final

from hashshare.wire.errors import HashshareError, all_errors


@dataclass(frozen=True, slots=True)
class Explanation:
    """`means`: what happened and what did not; `do`: the next step."""

    means: str
    do: str


EXPLANATIONS: Final[dict[str, Explanation]] = {
    "internal": Explanation(
        "The hub met an error of its own. What you asked for was not done, or not wholly; nothing half-done is served.",
        "Try again later. If it stays, tell the hub's operator the time and the address: the reason is in its log.",
    ),
    "invalid-request": Explanation(
        "The request is not one that this resource understands. The member `errors`, when there, lists each field at "
        "fault as a JSON Pointer with a message.",
        "Correct the request. The API's own description stands at /api/v1/docs.",
    ),
    "bad-hash": Explanation(
        "A text that was given as a hash is not one: its length or its characters do not fit the algorithm.",
        "Write hashes in lower-case hexadecimal, the full digest; photodna may also be in base64.",
    ),
    "unknown-algorithm": Explanation(
        "The hash algorithm is none of md5, sha1, sha256, pdq and photodna, nor a vendor's own with a declared width "
        "(x-vendor-name-bytes).",
        "Correct the name. A vendor's algorithm is named with its width in bytes, for instance x-acme-64.",
    ),
    "bad-input": Explanation(
        "A file to be published has lines that cannot be entries. Nothing of it was published.",
        "Correct the lines that are listed (the first 100, with the count of all) and publish the file again.",
    ),
    "not-allowed": Explanation(
        "The request is understood and you are known, but your organisation, or the door you came in by, may not do "
        "this. Changes need a signed request; access keys and tokens only read.",
        "Use the organisation's own key, or ask the one who may.",
    ),
    "not-authenticated": Explanation(
        "The request carries no credentials, or some that this hub does not accept: unknown, revoked or out of date. "
        "Which of these it is, is not said.",
        "Sign the request with an enrolled key, or send a bearer token or an access key. `hashshare status` shows "
        "what the hub knows of your key.",
    ),
    "bad-request-signature": Explanation(
        "The request is signed, but the signature does not fit what arrived: another method, address, body or key, or "
        "a part is not covered that must be (@method, @target-uri, @authority, content-digest with a body, if-match "
        "when it is sent).",
        "Sign for the hub's public address exactly as its descriptor gives it, and let no proxy change the address "
        "or the body.",
    ),
    "replayed-request": Explanation(
        "A signed request with this nonce has been accepted before. Each is accepted once, so that a request that was "
        "listened to cannot be sent again by somebody else.",
        "Sign anew, with a new nonce. If you did not send it twice, somebody else did: tell the hub's operator.",
    ),
    "stale-signature": Explanation(
        "The request says it was signed more than 300 seconds before or after the hub's time.",
        "Set the clock of the machine that signs (NTP).",
    ),
    "invitation-invalid": Explanation(
        "The invitation code is unknown, was used by another key, or is out of date. Which, is not said.",
        "Ask the hub's operator for a new code.",
    ),
    "not-entitled": Explanation(
        "There is nothing at this address that your organisation may use. The answer is the same whether it does not "
        "exist or belongs to others.",
        "Check the spelling; for a list, subscribe and wait for its publisher's grant.",
    ),
    "terms-not-accepted": Explanation(
        "The publisher's terms must be accepted as they now stand. The request names no terms, or an older text.",
        "Read the list's terms and send their digest: `hashshare subscribe LIST` shows them and asks.",
    ),
    "not-found": Explanation(
        "There is no such thing at this address.",
        "Check the address; the API's own description stands at /api/v1/docs.",
    ),
    "method-not-allowed": Explanation(
        "The resource exists but does not answer this method.", "The response's Allow header names those it answers."
    ),
    "conflict": Explanation(
        "The thing has changed since you last looked, or is already so.", "Look at its current state and try again."
    ),
    "version-conflict": Explanation(
        "The commit does not follow the version that the hub has accepted last: somebody else published in between, "
        "or the same commit was sent twice. Nothing was changed.",
        "Run `hashshare publish` again: it fetches the current state and makes the difference to that.",
    ),
    "last-key": Explanation(
        "The key is the last of your organisation's that opens a door: without it no request could be signed, not even "
        "the one that introduces the next key. Nothing was changed.",
        "Introduce another key first: `hashshare key rotate` on this machine, `hashshare key add` for a second one. If "
        "the key was stolen and every machine is to be shut out, send `last`: true (`hashshare key revoke --last`); "
        "the hub's operator then invites you anew.",
    ),
    "precondition-required": Explanation(
        "A commit must name the version that it follows in the header If-Match, so that two publishers at work cannot "
        "overwrite one another.",
        'Send If-Match with the accepted version of the role in quotation marks, "0" when there is none yet.',
    ),
    "already-there": Explanation(
        "This list already has that object, byte for byte. Nothing needs to be sent.",
        "Go on with the next object, then commit.",
    ),
    "too-large": Explanation(
        "The body is larger than the hub reads at this address; or, with this object, the publisher would have more "
        "uploaded that no release names than the hub keeps. It was not kept; what was uploaded before was.",
        "Send less at once; a list is published in segments. Publish what was uploaded: what no release names is "
        "removed after fourteen days. The hub's operator can raise HASHSHARE_UPLOAD_GIB.",
    ),
    "unsupported-media-type": Explanation(
        "The body is of a type that this address does not read.",
        "Send application/json; objects are sent as application/octet-stream.",
    ),
    "too-many-requests": Explanation(
        "Your organisation has sent more requests than its limit. Nothing was done.",
        "Wait as many seconds as the Retry-After header says; the hashshare client does so by itself.",
    ),
    "storage-unavailable": Explanation(
        "The place where the hub keeps objects is out of reach or full. Nothing was published or changed.",
        "Wait as many seconds as the Retry-After header says; the hashshare client tries a few times by itself. If it "
        "lasts, tell the hub's operator, who finds the reason in its log.",
    ),
    "verification-failed": Explanation(
        "What was sent does not verify. It was not taken, and what was published before stays served.",
        "Send it again; if it stays, look at the member `detail`.",
    ),
    "signature-threshold": Explanation(
        "The signed metadata lacks enough valid signatures of the keys that may sign this role: a signature is "
        "missing, is made by another key, or does not fit the bytes. Of an acknowledgement or a log's checkpoint: the "
        "one signature it needs is not there or not valid.",
        "Sign with the keys that the publisher's root or targets names; an acknowledgement with a key of your "
        "organisation that is in force. If a key was stolen, rotate it first.",
    ),
    "expired-metadata": Explanation(
        "The signed metadata has expired, or the role that delegates it has.",
        "Sign it anew with a later date: `hashshare publish` does so for the list, the officers for root and targets.",
    ),
    "malformed-metadata": Explanation(
        "The signed metadata is not of the required shape: see the protocol page for the profile of TUF in use.",
        "Make it with `hashshare publisher`, or compare it with the protocol page.",
    ),
    "malformed-manifest": Explanation(
        "The list's manifest is not of the required shape, or its chain of segments has a gap or an overlap.",
        "Make it with `hashshare publish`, or compare it with the protocol page.",
    ),
    "unknown-requirement": Explanation(
        "The list uses a feature that this hub's version of hashshare does not know.",
        "Have the hub upgraded. Until then the last good state stays served.",
    ),
    "malformed-segment": Explanation(
        "A segment is not what the format says: other columns, unsorted or repeated keys, wrong widths, unknown words, "
        "or counts that do not agree with the manifest.",
        "Make it with `hashshare publish`, or compare it with the protocol page.",
    ),
    "wrong-digest": Explanation(
        "The bytes that arrived do not have the digest or the length that was announced: cut off or changed on the "
        "way. They were not kept.",
        "Send them again.",
    ),
    "missing-object": Explanation(
        "The commit names an object that was not uploaded to this list.",
        "Upload every object first, then commit; `hashshare publish` may simply be run again.",
    ),
    "rejected-content": Explanation(
        "The release breaks a rule about its content. It was rejected as a whole; the previous one stays served.",
        "Look at the member `detail`, correct and publish again. The rejected version number is used again.",
    ),
    "withdrawn-key": Explanation(
        "The release would bring back entries that were withdrawn. A withdrawal holds until it is taken back by name, "
        "so that last night's wrong hash does not return with tonight's export.",
        "Leave these entries out, or name each with --reinstate if it really is right again.",
    ),
    "guarded-hash": Explanation(
        "The release names a digest known to be harmless, such as that of the empty file.",
        "Remove these rows: they would match harmless files everywhere.",
    ),
    "not-live": Explanation(
        "The release withdraws entries that the list does not hold.", "Publish from the list's current state."
    ),
    "wrong-fold": Explanation(
        "A merged segment, or a base, is not the fold of what it replaces: some entry differs.",
        "Make it again with `hashshare publish`; if it stays, report it: this should not happen.",
    ),
    "malformed-log": Explanation(
        "A checkpoint, a tile, a receipt or a row of a log is not of the required shape: cut off, too long, or written "
        "otherwise than the log's page says.",
        "Fetch it again. If it stays, keep what you received: somebody changed it, or the hub's software is at fault.",
    ),
    "log-forked": Explanation(
        "A log only ever grows. This one is not shown to extend what was seen of it before: it holds fewer leaves, or "
        "other ones, or the proof was damaged on the way. The new state was not taken over; lists stay in use.",
        "Try once more. If it stays, keep the checkpoint that you hold and the one that was refused, and show both to "
        "the publisher: two signed checkpoints that contradict one another prove that the hub rewrote its log.",
    ),
    "log-key-changed": Explanation(
        "The log's checkpoints are signed by another key than the one that was seen first. Either the hub's operator "
        "replaced the key, or somebody else answers in the hub's place. The new key was not taken over.",
        "Ask the operator by another channel than the hub, telephone for instance, for the new key and the reason.",
    ),
    "root-replaced": Explanation(
        "The hub serves another first root of a publisher than the one that you trust, and nothing that you trust has "
        "signed it. Either the publisher lost its officers' keys and began anew, by leave of the hub's operator, or "
        "the hub, or somebody with its operator's account, is lying. What you held stays in use.",
        "Call the publisher at a number that you had before. If it began anew, it reads you its new fingerprint: "
        "`hashshare pin PUBLISHER FINGERPRINT --replace`, then sync. If not, tell it and the hub's operator.",
    ),
    "wrong-proof": Explanation(
        "A proof from a log does not lead from the leaf to the root that the hub signed, or belongs to another leaf or "
        "another log.",
        "Fetch the receipt again. If it stays, the hub promised an entry that its log does not hold: keep the receipt "
        "and show it to the publisher.",
    ),
    "wrong-opening": Explanation(
        "The row and its secret number do not give the entry that stands in the log, or the row speaks of somebody "
        "else. Whoever handed it out tells something else than was logged.",
        "Fetch it again. If it stays, keep the row and the receipt and show them to the publisher.",
    ),
    "missing-opening": Explanation(
        "The hub does not say what an entry of the log stands for, though the time to erase it has not come: it lost "
        "the row, or keeps it back.",
        "Ask the hub's operator. The organisation that the row is about may hold it with its receipt.",
    ),
    "malformed-acknowledgement": Explanation(
        "The acknowledgement is not the DSSE document that the log's page describes, or contradicts itself: objects "
        "purged beyond the version that is applied, for instance.",
        "Send it with `hashshare sync`, or compare it with the log's page.",
    ),
    "unknown-release": Explanation(
        "The acknowledgement names a version and a manifest that this hub never published together. Nothing was "
        "recorded.",
        "Synchronise and acknowledge what is then held. If the manifest verified, two hubs or a mirror tell different "
        "histories: tell the publisher.",
    ),
    "contradicted-fold": Explanation(
        "A member's client says this, no hub: a merged segment or a renewed base, rightly signed, drops, adds or "
        "changes rows of what the member holds. The key range is in `low` and `high`. What it held stays in use.",
        "Treat it as an incident: tell the publisher and the hub's operator over another channel.",
    ),
    "major-required": Explanation(
        "The release, with those of the seven days before, takes more than 100 entries and more than 1 % of what the "
        "list held before them. So much may not go on the word of the list's feed key alone: two holders of the "
        "publisher's major keys must sign for exactly this release. Entries count that are withdrawn, and those that "
        "an update makes end sooner or takes a hash from; what is added or brought back is not set off against them. "
        "The list stays as it was. The members `lost`, `before` and `held` have the numbers.",
        "If it is meant, publish it again: the command asks for the major keys, or writes a signing request for their "
        "holders. If nobody there published it, the feed key is in other hands: replace it at once.",
    ),
    "malformed-major": Explanation(
        "A major document, by which two officers say that a large loss of entries is meant, is not of the required "
        "shape, or is of another list or version than its name says.",
        "Make it again with `hashshare publish`.",
    ),
    "large-loss": Explanation(
        "A list would lose more than 100 entries and more than a tenth of what is held here, counting the eight weeks "
        "before, and no major signature of its publisher covers it. Whoever stole a feed key, at a hub that lets them, "
        "could empty a list that way. The list stays in use as it was held.",
        "Ask the publisher over another channel than the hub. If it is meant: `hashshare sync LIST --accept-shrink`.",
    ),
    "malformed-signing-request": Explanation(
        "An officer's or a hotline's client says this, no hub: a file is no signing request, was changed on its way, "
        "contradicts itself, or says something that this version cannot tell in words. Nothing was signed or changed.",
        "Copy it again from where it was made. If it stays, ask by telephone who made it: somebody may want your "
        "signature under something else.",
    ),
    "stale-signing-request": Explanation(
        "An officer's or a hotline's client says this, no hub: the publisher has changed since the request was made, "
        "or what it asks for has expired. Metadata follows one version after another, so this one is void.",
        "Make the change again where it was made; the officers sign the new request.",
    ),
    "restored": Explanation(
        "The hub was restored from a backup. It cannot know what it served after that was made, so it does not say "
        "that what it has is the newest, and changes nothing. What was synced stays in use and is right.",
        "Wait. The hub's operator runs `manage.py recover`; then each publisher's program sends what the hub lost, "
        "with its next publication or refresh, or by `hashshare publisher resend`. If it lasts, ask the operator.",
    ),
    "bad-backup": Explanation(
        "`manage.py restore` says this, no hub: what it was given is not a whole backup, or not one that this version "
        "and this database can take. The message names the file at fault. Nothing was changed.",
        "Take another copy or an older backup, the right passphrase, or the version that the message names.",
    ),
    "too-many-withdrawals": Explanation(
        "The publication would withdraw more entries than was allowed: perhaps a file was cut off on export.",
        "Check the file. If it is meant, say how many: --allow-withdrawals N.",
    ),
}


INTRODUCTION: Final = (
    "When a request fails, the answer is `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, "
    "often `next_step`, and members that depend on the type. The command line prints `detail` and `next_step`, and "
    "exits with the code given here."
)


def problem_types() -> list[type[HashshareError]]:
    """Every problem type by slug, those that only a client meets included."""
    return sorted((error for error in all_errors() if "slug" in vars(error)), key=lambda error: error.slug)


def explanation_of(error: type[HashshareError]) -> Explanation:
    """The text above, or what the class itself says of it."""
    own = Explanation(inspect.cleandoc(error.__doc__ or error.title), error.next_step or "See the member `detail`.")
    return EXPLANATIONS.get(error.slug, own)


def as_markdown() -> str:
    """The documentation's page, one section a type, anchored by its slug."""
    parts = [
        "# Problem types",
        "Made by `python manage.py problem_docs`; the hub shows the same texts under `/problems/`.",
        INTRODUCTION,
    ]
    for error in problem_types():
        text = explanation_of(error)
        parts += [
            f"## {error.slug}",
            f"*{error.title}*, HTTP status {error.status}, exit code {error.exit_code.value}.",
            text.means,
            f"**What to do.** {text.do}",
        ]
    return "\n\n".join(parts) + "\n"
