"""What joins tuf.ngclient to the session: its network, and its exceptions as ours. Trust is decided elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tuf.api import exceptions as tuf_errors
from tuf.api.serialization import DeserializationError
from tuf.ngclient import FetcherInterface

from hashshare.client.answers import chunks
from hashshare.client.session import Session
from hashshare.wire.errors import (
    BadSignature,
    ExpiredMetadata,
    HashshareError,
    MalformedMetadata,
    MissingObject,
    NetworkError,
    NotFound,
    VerificationFailed,
    WrongDigest,
)


class HubFetcher(FetcherInterface):
    """tuf.ngclient's network, through the session: credentials, retries, no plain http://."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            response = self._session.get(url, stream=True)
        except HashshareError as error:
            if error.status in (403, 404):
                # ngclient takes these as "no newer root"; `tuf_errors_translated` finds the cause elsewhere.
                raise tuf_errors.DownloadHTTPError(error.message, error.status) from error
            raise
        return chunks(response, hub_url=self._session.hub_url)


def _whose_job(domain: str, told: str) -> str:
    """What to do about a role that has expired, by what the library says of it."""
    if "timestamp.json" in told or "snapshot.json" in told:
        return (
            "The hub signs these anew every day: it is out of order, or keeps back what is newer. The last good state "
            f"stays in use. Ask the hub's operator, and {domain} whether there is a newer version."
        )
    return f"{domain} has to sign it anew. The last good state stays in use; tell them, if it lasts."


@contextlib.contextmanager
def tuf_errors_translated(domain: str) -> Iterator[None]:
    """The library's exceptions as ours. An attack and a fault look alike here, so the words accuse nobody."""
    try:
        yield
    except tuf_errors.DownloadLengthMismatchError as error:
        raise WrongDigest(f"{domain}: {error}.") from error
    except tuf_errors.DownloadError as error:
        if isinstance(error.__cause__, NotFound):
            raise MissingObject(
                f"{domain}: the hub does not serve the signed metadata that it should.",
                next_step="The last good state stays in use. If it lasts, tell the hub's operator and the publisher.",
            ) from error
        if isinstance(error.__cause__, HashshareError):
            raise error.__cause__ from None
        raise NetworkError(f"{domain}: {error}.") from error
    except tuf_errors.ExpiredMetadataError as error:
        raise ExpiredMetadata(f"{domain}: {error}.", next_step=_whose_job(domain, str(error))) from error
    except tuf_errors.UnsignedMetadataError as error:
        raise BadSignature(f"{domain}: {error}.") from error
    except tuf_errors.LengthOrHashMismatchError as error:
        raise WrongDigest(f"{domain}: {error}.") from error
    except tuf_errors.BadVersionNumberError as error:
        message = f"{domain}: the hub offers older metadata than was seen before ({error})."
        raise VerificationFailed(message, older=True) from error
    except (tuf_errors.RepositoryError, DeserializationError) as error:
        raise MalformedMetadata(f"{domain}: {error}.") from error
