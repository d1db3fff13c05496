"""Health says which dependency is away."""

from __future__ import annotations

from typing import Any


def health(served: Any) -> tuple[int, dict[str, Any]]:
    with served.http as http:
        answer = http.get("/healthz", timeout=20)
    return answer.status_code, answer.json()


def test_all_is_well(served: Any, market: Any) -> None:
    code, body = health(served)
    assert code == 200
    assert (body["status"], body["database"], body["redis"], body["feed"]) == ("ok", True, True, "simulate")
    assert body["scorer_lag_polls"] == 1
    assert body["last_poll_at"] is not None
    market.commit()
    assert health(served)[1]["scorer_lag_polls"] == 0


def test_without_redis_prices_are_still_served(serve: Any, market: Any) -> None:
    with serve(redis_url="redis://127.0.0.1:1") as served:
        code, body = health(served)
        assert (code, body["status"], body["redis"], body["database"]) == (503, "down", False, True)
        with served.http as http:
            assert http.get("/api/odds/nfl", timeout=10).status_code == 200
            assert http.get("/api/value-bets").status_code == 200


def test_a_lost_database_connection_is_replaced(served: Any, market: Any) -> None:
    market.conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'serving'")
    with served.http as http:
        assert http.get("/api/value-bets").status_code == 200


def test_without_a_database_requests_are_told_so(serve: Any, redis_url: str) -> None:
    with serve(database_url="postgresql://nobody@127.0.0.1:1/none", wait=False) as served:
        code, body = health(served)
        assert (code, body["status"], body["database"]) == (503, "down", False)
        with served.http as http:
            answer = http.get("/api/value-bets", timeout=20)
        assert answer.status_code == 503
        assert "database" in answer.json()["detail"]
