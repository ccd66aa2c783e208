"""What an audit tells of the hub's publication log: roots that were replaced, hubs that took over, who cosigned it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hashshare.client import trust
from hashshare.client.cli.output import Output
from hashshare.client.home import Home
from hashshare.client.kept_metadata import timestamp_keys
from hashshare.client.logs import seen_log
from hashshare.client.public_record import PublicRecord, public_record
from hashshare.client.session import Session
from hashshare.client.witnesses import required
from hashshare.wire import keys
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, NotEntitled, NotFound


def read_record(session: Session, home: Home, domain: str) -> PublicRecord | None:
    """None from a hub that shows no publication log."""
    seen = seen_log(home, domain)
    if seen is None:
        return None
    try:
        return public_record(session, domain, key=seen.key, wanted=required(home), now=datetime.now(UTC))
    except (NotFound, NotEntitled):
        return None


def record_json(home: Home, domain: str, record: PublicRecord | None) -> dict[str, Any]:
    """`replaced_roots` and `moves` are null where nothing is known of them."""
    if record is None:
        return {"replaced_roots": None, "moves": None, "publication_log": None}
    checkpoint = record.checkpoint
    return {
        "replaced_roots": [{"before": it.before, "after": it.after, "at": write_time(it.at)} for it in record.replaced],
        "moves": [{"before": it.before, "after": it.after, "at": write_time(it.at)} for it in record.moved],
        "publication_log": {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "key": _log_key(home, domain),
            "cosigned_by": list(record.by),
            "cosigned_at": write_time(record.at) if record.at else None,
            "alarm": record.unwitnessed or None,
        },
        "timestamp_keys": list(timestamp_keys(home, domain)),
    }


def tell_record(out: Output, home: Home, domain: str, record: PublicRecord | None) -> None:
    """What somebody else did to the publisher, and by which key it is said; whether the root is the one here."""
    if record is None:
        out.say(
            "  roots: the hub shows no publication log, so whether your root was replaced there, or another hub took "
            "over, is not known"
        )
        return
    for it in record.replaced:
        out.say(f"  root replaced without its signature at {write_time(it.at)}: {it.before} → {it.after}")
    _tell_moves(out, home, domain, record)
    _tell_witnesses(out, record)
    known = trust.publisher(home, domain)
    if record.replaced and known is not None and record.replaced[-1].after != known.fingerprint:
        out.exit_code = ExitCode.VERIFICATION
        out.warn(
            f"The hub has replaced the root of {domain} by one that is not yours. If you did not begin anew, call its "
            "operator and every member at once."
        )


def _tell_moves(out: Output, home: Home, domain: str, record: PublicRecord) -> None:
    for it in record.moved:
        out.say(f"  {it.after} took over from {it.before} at {write_time(it.at)}")
    if record.moved:
        out.say(f"    so says {record.checkpoint.origin}, signed with the log key {_log_key(home, domain)}")
        signers = ", ".join(timestamp_keys(home, domain))
        if signers:
            out.say(f"    the newest timestamp that was verified here is signed with the key {signers}")


def _tell_witnesses(out: Output, record: PublicRecord) -> None:
    if record.unwitnessed:
        out.exit_code = out.exit_code or ExitCode.ALARM
        out.warn(
            f"The hub's publication log may be another than others are shown: {record.unwitnessed}. "
            "See: hashshare witness list"
        )
    elif record.at is not None:
        out.say(f"  publication log cosigned by {', '.join(record.by)} at {write_time(record.at)}")


def _log_key(home: Home, domain: str) -> str:
    """Fingerprint of the one key of all logs of the hub, as it was seen first."""
    seen = seen_log(home, domain)
    return keys.fingerprint(seen.key) if seen is not None else ""
