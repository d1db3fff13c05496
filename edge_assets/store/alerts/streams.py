"""The Redis streams: one entry per poll on `odds:changes`, one per alert step on `alerts`."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import redis

from edge_assets.core.clock import to_datetime
from edge_assets.store.alerts import alert_log
from ml.quotes import encode_changes

if TYPE_CHECKING:
    from psycopg import Connection
    from redis.asyncio import Redis as AsyncRedis

    from ml.quotes import PollChanges

CHANGES_STREAM = "odds:changes"
CHANGES_FIELD = b"changes"
MAX_CHANGES_ENTRIES = 10_000
"""Polls kept in the stream; a scorer that was away for longer catches up from the database."""
ALERTS_STREAM = "alerts"
ALERT_FIELD = b"json"
MAX_ALERTS_ENTRIES = 100_000
STALE_ID_ERROR = "equal or smaller"
LATE_AFTER_SECONDS = 10.0
"""An alert published later than this after its payload was received is marked late: it may be out of date."""


class StreamMismatchError(RuntimeError):
    """The alert stream holds entries of another database, so this database's ids cannot be appended."""

    def __init__(self, entry_id: bytes) -> None:
        super().__init__(
            f"stream {ALERTS_STREAM!r} ends at {entry_id.decode()}, which is not an alert of this database: "
            f"use another Redis database (REDIS_URL), or delete the stream (redis-cli DEL {ALERTS_STREAM})"
        )


async def publish_changes(client: AsyncRedis, changes: PollChanges) -> None:
    """Append a poll to `odds:changes`.

    Publishing twice is harmless: readers drop a poll id that they have seen.
    """
    entry: dict[Any, Any] = {CHANGES_FIELD: encode_changes(changes)}
    await client.xadd(CHANGES_STREAM, entry, maxlen=MAX_CHANGES_ENTRIES, approximate=True)


def publish_alerts(conn: Connection, client: redis.Redis) -> int:
    """Append the unpublished alerts to the stream, in order, and take them out of the outbox; return how many.

    An entry's id is the alert's own, so the server rejects duplicates: a process that dies before marking them can
    repeat this without effect.

    Raises `StreamMismatchError` if the server rejects an alert that is not in the stream.
    """
    published = 0
    while messages := alert_log.load_unpublished_messages(conn):
        _publish_batch(conn, client, messages)
        published += len(messages)
    return published


def _publish_batch(conn: Connection, client: redis.Redis, messages: list[dict[str, Any]]) -> None:
    now = time.time_ns() // 1_000
    publications = [_set_published_at(message, now) for message in messages]
    # in a transaction: if one were rejected (memory, disk) and the next accepted, the first would count as published
    with client.pipeline(transaction=True) as pipe:
        for message in messages:
            body: dict[Any, Any] = {ALERT_FIELD: msgspec.json.encode(message)}
            pipe.xadd(ALERTS_STREAM, body, id=f"{message['id']}-0", maxlen=MAX_ALERTS_ENTRIES, approximate=True)
        responses = pipe.execute(raise_on_error=False)
    for message, response in zip(messages, responses, strict=True):
        if isinstance(response, Exception):
            if STALE_ID_ERROR not in str(response):
                raise response
            _verify_published(client, message)
    alert_log.mark_published(conn, publications)


def _verify_published(client: redis.Redis, message: dict[str, Any]) -> None:
    """Check that an alert rejected as old is in the stream, not superseded by an entry of another database."""
    entry_id = f"{message['id']}-0"
    entries: Any = client.xrange(ALERTS_STREAM, entry_id, entry_id)
    if not entries or _decode_alert_step(entries[0][1]) != (message["alert_id"], message["seq"]):
        stream: Any = client.xinfo_stream(ALERTS_STREAM)
        raise StreamMismatchError(stream["last-generated-id"])


def verify_stream_ownership(conn: Connection, client: redis.Redis) -> None:
    """Raise `StreamMismatchError` if the stream's last entry is not an alert of this database.

    New ids below it would otherwise count as published.
    """
    newest: Any = client.xrevrange(ALERTS_STREAM, count=1)
    if not newest:
        return
    entry_id, fields = newest[0]
    streamed = int(entry_id.partition(b"-")[0])
    row = conn.execute("SELECT alert_id::text, seq FROM alerts WHERE id = %s", [streamed]).fetchone()
    if row is None or row != _decode_alert_step(fields):
        raise StreamMismatchError(entry_id)


class _AlertEntry(msgspec.Struct):
    """The identifying fields of an entry."""

    id: int
    alert_id: str
    seq: int


def _decode_alert_step(fields: dict[bytes, bytes]) -> tuple[str, int] | None:
    """Alert and step of an entry; None if the entry is not an alert."""
    entry = _decode_alert_entry(fields)
    return (entry.alert_id, entry.seq) if entry else None


def decode_alert_message(entry_id: bytes, fields: dict[bytes, bytes]) -> tuple[int, str] | None:
    """Id and message of an entry of the alert stream; None if the entry is not an alert."""
    entry = _decode_alert_entry(fields)
    return (entry.id, fields[ALERT_FIELD].decode()) if entry and entry_id == b"%d-0" % entry.id else None


def _decode_alert_entry(fields: dict[bytes, bytes]) -> _AlertEntry | None:
    try:
        return msgspec.json.decode(fields[ALERT_FIELD], type=_AlertEntry)
    except (KeyError, UnicodeError, msgspec.DecodeError, RecursionError):
        return None


def find_newest_change_id(client: redis.Redis) -> bytes:
    """The id of the last entry of `odds:changes`, 0-0 if there is none; reading on from it misses nothing."""
    newest: Any = client.xrevrange(CHANGES_STREAM, count=1)
    return bytes(newest[0][0]) if newest else b"0-0"


def parse_entries(response: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The entries of an XREAD reply for one stream: a list in RESP2, a dict in RESP3."""
    if not response:
        return []
    return (
        [e for batch in next(iter(response.values())) for e in batch] if isinstance(response, dict) else response[0][1]
    )


def _set_published_at(message: dict[str, Any], now: int) -> alert_log.AlertPublication:
    """Write the time of publication into a message; return the publication record."""
    published = to_datetime(now)
    received, observed = (datetime.fromisoformat(at) for at in (message.pop("received_at"), message["observed_at"]))
    # an alert caused by the passage of time is known at its own moment, not at the last poll
    known_at = max(received, observed) if observed <= published else received
    seconds = (published - known_at).total_seconds()
    late_s = round(seconds, 1) if seconds > LATE_AFTER_SECONDS else None
    publication = alert_log.AlertPublication(message["id"], published, seconds * 1_000, late_s)
    message |= publication._asdict() | {"published_at": _format_timestamp(published)}
    return publication


def _format_timestamp(at: datetime) -> str:
    """A time (UTC) in PostgreSQL's JSON format, which resumed clients get."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}".rstrip("0").rstrip(".") + "+00:00"
