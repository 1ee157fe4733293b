"""The time of a document, by which a store orders and names it."""

from __future__ import annotations

from datetime import datetime, timezone

from buildtel.errors import BuildtelError
from buildtel.job import JobDocument


def document_time(document: JobDocument, where: str) -> datetime:
    """The document's `timestamp`, in UTC.

    Args:
        document: the document.
        where: its file or key, for the error message.

    Raises:
        BuildtelError: it has none, or not ISO 8601.
    """
    text = (document.timestamp or "").replace("Z", "+00:00")
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            time = time.replace(tzinfo=timezone.utc)
        return time.astimezone(timezone.utc).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise BuildtelError(f"{where}: its `timestamp` is not a time of ISO 8601: {document.timestamp!r}") from None
