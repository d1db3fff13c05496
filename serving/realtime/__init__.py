"""The live stream of alerts, `/ws/alerts`: what a client may rely on.

**Guarantee.** At least once, in ascending `id`, resumable from any id. Alerts come from the database;
the Redis stream only makes them prompt: a Redis that dies, restarts empty or stays away costs latency,
not alerts.

**Authentication.** A JWT (HS256, audience `edge-alerts`) in `Authorization: Bearer ...`, or as the first message,
`{"token": "...", "after": 123}`, within five seconds. `after` is optional; with the header it is the query
parameter `/ws/alerts?after=123`. Cookies are never read, so a page of another origin cannot use a session.

**Messages from the server**, text frames of JSON:

* `{"type": "hello", "last_id": 130, "after": 123, "heartbeat_seconds": 15, "feed": "simulate", "version":
  "..."}` once, before anything else. `last_id` is the newest alert the server knew at that moment.
* alerts, objects without `type`: those after `after` from the database, then live ones, with no gap and no
  duplicate between the two. Without `after` the stream starts after `last_id`.
* `{"type": "heartbeat", "last_id": 131}` every `heartbeat_seconds`; a client that received nothing for
  twice as long should reconnect. A heartbeat never overtakes an alert: `last_id` has already been sent.

**Resuming.** Remember the `id` of the last alert processed and send it as `after`. Processing an alert twice is
harmless if `(alert_id, seq)` is the key. The server keeps no state per client.

**Messages from the client** after authentication are ignored; authenticated by header, one closes the connection
(4400), because its `after` would be ignored.

**Close codes**:

==== ============================================ =================================================
4400 malformed first message or parameter         fix the client
4401 token missing, invalid or expired            get a new token, then resume
4408 no first message in time                     send the token at once
4409 `after` is ahead of the newest alert         another database: reconnect without `after`
4413 too slow: the backlog is full                resume, and read faster
1012 the server is shutting down                  reconnect with back-off, resume
1013 database unavailable                         reconnect with back-off, resume
==== ============================================ =================================================

**Isolation.** One loop sends each alert to every client and never waits: a client whose socket is full gets a
bounded backlog of its own, and is closed with 4413 when that is full.
"""
