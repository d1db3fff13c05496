"""The watchdog: what it concludes, what it writes, and that it restarts what hangs, with back-off."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import pytest
import redis

from edge_assets.health.findings import HealthIssue
from edge_assets.local.programs import Program
from edge_assets.local.runs import is_run
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.watchdog import probing, rounds
from edge_assets.local.watchdog.__main__ import time_limit
from edge_assets.local.watchdog.bursts import BurstWatch
from edge_assets.local.watchdog.clock import ClockMonitor, ClockReading
from edge_assets.local.watchdog.counterpart import Counterpart, write_heartbeat
from edge_assets.local.watchdog.duties import WatchedPorts, watched_services
from edge_assets.local.watchdog.liveness import MAX_WAIT_SECONDS, Liveness, LivenessTimeouts, StartCounter
from edge_assets.local.watchdog.notes import FindingReporter, read_fallback_file
from edge_assets.store.health.dagster_runs import RunProcess
from edge_assets.store.health.problems import ProblemKind, load_heartbeats, load_problems, report_problem
from edge_assets.store.postgres.database import connect
from tests.support.embedded_servers import eventually
from tests.support.servers.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_assets.local.home import Home
    from edge_assets.local.watchdog.duties import WatchedService
    from tests.support.servers.postgres import PostgresServer
    from tests.support.servers.valkey import ValkeyServer

PATIENCE = LivenessTimeouts(start_seconds=180, report_seconds=30, restart_seconds=90)


def living() -> Liveness:
    life = Liveness(PATIENCE, changed_at=0.0)
    life.observe("first", 1, -1_000.0)
    life.observe("second", 1, 1.0)
    return life


def test_silence_is_told_and_then_ended_by_restarts_further_and_further_apart() -> None:
    life, pid, restarts = living(), 1, []
    for now in range(2, 20_000, 5):
        life.observe("second", pid, now)
        assert (life.silent_seconds(now) is None) == (now - 1 <= PATIENCE.report_seconds)
        if life.is_restart_due(now):
            life.record_restart()
            pid += 1
            restarts.append(now)
    apart = [later - earlier for earlier, later in pairwise(restarts)]
    assert restarts[0] - 1 == pytest.approx(PATIENCE.restart_seconds, abs=6)
    assert apart[:3] == pytest.approx([360, 720, 1_440], abs=12)
    assert max(apart) <= MAX_WAIT_SECONDS + 12


def test_a_process_that_has_just_started_is_not_restarted_for_its_predecessors_silence() -> None:
    life = living()
    life.observe("second", 2, 100)
    assert life.silent_seconds(100) is not None
    assert not life.is_restart_due(100 + PATIENCE.start_seconds)
    assert life.is_restart_due(101 + PATIENCE.start_seconds)


def test_a_new_sign_ends_the_silence_and_steady_work_forgets_the_restarts() -> None:
    life = living()
    life.record_restart()
    life.observe("third", 2, 130)
    assert life.silent_seconds(150) is None
    for now in range(130, 900, 5):
        life.observe(now, 2, now)
    assert life.is_restart_due(900 + PATIENCE.restart_seconds)


def test_what_starts_is_given_longer_and_what_nobody_can_tell_is_not_held_against_it() -> None:
    life = Liveness(PATIENCE, changed_at=0.0)
    life.observe("none yet", 1, 5)
    assert life.silent_seconds(100) is None
    assert life.silent_seconds(5 + 181) is not None
    life = living()
    life.observe(None, 1, 500)
    assert life.silent_seconds(520) is None


def test_starts_are_counted_within_three_minutes() -> None:
    starts = StartCounter()
    assert [starts.observe(pid, now) for now, pid in enumerate((0, 7, 7, 8, 0, 9))] == [0, 0, 0, 1, 1, 2]
    assert starts.observe(9, 400) == 0


def test_a_clock_that_jumps_is_told_for_ten_minutes_and_so_is_a_suspension() -> None:
    watch = ClockMonitor()
    assert watch.observe(ClockReading(1_000, 0, 0)) == ""
    assert watch.observe(ClockReading(1_005.5, 5, 5)) == ""
    assert "set back by 60 minutes" in watch.observe(ClockReading(1_010.5 - 3_600, 10, 10))
    assert "set back" in watch.observe(ClockReading(1_015.5 - 3_600, 15, 15))
    assert watch.observe(ClockReading(1_700 - 3_600, 700, 700)) == ""
    assert "suspended for 5 minutes" in watch.observe(ClockReading(2_005 - 3_600, 705, 1_005))


def test_a_redis_that_takes_a_write_is_well(redis_url: str) -> None:
    assert probing.redis_fault(redis_url) is None


def test_a_redis_that_refuses_writes_or_is_away(own_redis: ValkeyServer) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set("maxmemory", 1)
    assert (probing.redis_fault(own_redis.url) or ("", ""))[0] == probing.REFUSES_WRITES
    assert (probing.redis_fault(own_redis.url.replace("//", "//:wrong@")) or ("", ""))[0] == probing.UNREACHABLE
    own_redis.process.stop()
    assert (probing.redis_fault(own_redis.url) or ("", ""))[0] == probing.UNREACHABLE


def test_a_server_that_accepts_and_says_nothing_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "PROBE_TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as hung:
        port = hung.getsockname()[1]
        assert probing.get_json(port, "/readyz") is None
        fault = probing.redis_fault(f"redis://127.0.0.1:{port}/0")
        assert fault is not None
        assert fault[0] == probing.UNREACHABLE


@pytest.mark.parametrize(("status", "is_told"), [(200, True), (503, True), (403, False)])
def test_a_refusal_is_no_sign_of_life(status: int, is_told: bool) -> None:
    body = b"{}"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

        thread = threading.Thread(target=answer)
        thread.start()
        reported = probing.get_json(server.getsockname()[1], "/readyz")
        thread.join()
    assert (reported is not None) is is_told


def test_notes_are_kept_in_the_database_and_cleared_there(database_url: str, home: Home) -> None:
    hangs = HealthIssue(ProblemKind.SERVICE_HANGS, "scorer", "no heartbeat for 40 seconds")
    with closing(connect(database_url, "test")) as conn:
        report_problem(conn, ProblemKind.DISK_LOW, "", "of an earlier life")
        report_problem(conn, ProblemKind.FEED_UNREACHABLE, "nba", "somebody else's")
        notes = FindingReporter(home)
        notes.save(conn, [hangs])
        assert {(p.kind, p.subject) for p in load_problems(conn)} == {
            ("service_hangs", "scorer"),
            ("feed_unreachable", "nba"),
        }
        notes.save(conn, [])
        assert [p.kind for p in load_problems(conn)] == ["feed_unreachable"]


def test_all_that_a_killed_watchdog_has_reported_is_taken_over(database_url: str, home: Home) -> None:
    own = [(ProblemKind.CLOCK_CHANGED, ""), (ProblemKind.RUN_FAILED, "results"), (ProblemKind.REDIS_UNREACHABLE, "")]
    others = [
        (ProblemKind.CLOCK_CHANGED, "machine"),
        (ProblemKind.CLOCK_CHANGED, "nfl"),
        (ProblemKind.RUN_FAILED, "odds_burst"),
    ]
    with closing(connect(database_url, "test")) as conn:
        for kind, subject in own + others:
            report_problem(conn, kind, subject, "-")
        FindingReporter(home).save(conn, [])
        assert {(p.kind, p.subject) for p in load_problems(conn)} == set(others)


def test_while_the_database_is_away_a_file_tells(database_url: str, home: Home) -> None:
    notes = FindingReporter(home)
    notes.write_fallback_file([HealthIssue(ProblemKind.DISK_LOW, "", "0 MiB free")])
    [noted] = read_fallback_file(home)
    assert (noted.kind, noted.detail) == ("disk_low", "0 MiB free")
    with closing(connect(database_url, "test")) as conn:
        notes.save(conn, [])
    assert read_fallback_file(home) == []


def test_the_last_words_of_a_service(tmp_path: Path) -> None:
    log = tmp_path / "scorer.log"
    assert probing.last_log_line(log) == ""
    log.write_bytes(b"x" * 10_000 + b"\nit \xff ends\n\n")
    assert probing.last_log_line(log).endswith("ends")


def test_a_round_that_takes_too_long_is_given_up_whatever_faults_it_tolerates() -> None:
    went_on = False
    with time_limit(0.2):
        with suppress(Exception):
            time.sleep(30)
        went_on = True
    assert not went_on


ANSWERING = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.mark.chaos
def test_a_server_that_hangs_is_told_and_restarted(
    home: Home, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "PROBE_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(rounds, "duties", impatient)
    port, supervisor = free_port(), Supervisor(home)
    supervisor.launch(os.environ)
    (home.root / "answering.py").write_text(ANSWERING)
    supervisor.add(Program("serving", (sys.executable, str(home.root / "answering.py"), str(port)), stop_seconds=1))
    eventually(lambda: probing.get_json(port, "/readyz") is not None)
    watch = rounds.Watchdog(
        home,
        supervisor,
        rounds.Endpoints(database_url, None, redis_url, WatchedPorts(port, None)),
        FindingReporter(home),
    )

    def wrong() -> set[tuple[str, str]]:
        watch.run_round()
        with closing(connect(database_url, "test")) as conn:
            return {(p.kind, p.subject) for p in load_problems(conn) if p.subject == "serving"}

    assert wrong() | wrong() == set()
    hung = psutil.Process(supervisor.programs()[0].pid)
    hung.suspend()
    eventually(lambda: wrong() == {("service_hangs", "serving")})
    eventually(lambda: wrong() == set() and not hung.is_running(), 60)
    with closing(connect(database_url, "test")) as conn:
        assert "watchdog" in load_heartbeats(conn)


def impatient(ports: WatchedPorts, now: Callable[[], float], owns: Callable[[str, int], bool]) -> list[WatchedService]:
    [serving] = [duty for duty in watched_services(ports, now, owns) if duty.name == "serving"]
    return [serving._replace(timeouts=LivenessTimeouts(1, 0.6, 1.5))]


def test_an_answer_of_another_homes_server_is_no_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "get_json", lambda *_: {"ready": True})
    ours, ports = {8000: False}, WatchedPorts(8000, None)
    [serving] = [
        duty for duty in watched_services(ports, lambda: 7.0, lambda _, port: ours[port]) if duty.name == "serving"
    ]
    assert serving.sign_of_life(None) == "silent"
    ours[8000] = True
    assert serving.sign_of_life(None) == 7.0


def test_a_database_and_a_cache_answer_to_whoever_asks(
    own_postgres: PostgresServer, own_redis: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "PROBE_TIMEOUT_SECONDS", 1.0)
    redis_port = urlsplit(own_redis.url).port or 0
    listed = watched_services(
        WatchedPorts(1, valkey=redis_port, postgres=own_postgres.port), lambda: 7.0, lambda *_: True
    )
    signs = {duty.name: duty.sign_of_life for duty in listed if duty.name in {"valkey", "postgres"}}
    assert {name: sign(None) for name, sign in signs.items()} == {"valkey": 7.0, "postgres": 7.0}
    with own_postgres.process.suspended(), own_redis.process.suspended():
        assert {name: sign(None) for name, sign in signs.items()} == {"valkey": "silent", "postgres": "silent"}


RUN = "spawn_main = 0\nwhile True: pass"


def test_a_burst_that_is_stopped_is_told_and_killed_and_one_that_works_is_not() -> None:
    spawned = [subprocess.Popen([sys.executable, "-S", "-c", RUN]) for _ in range(3)]
    works, starts, polls = (psutil.Process(process.pid) for process in spawned)
    noted = [RunProcess("odds_burst", "aaaaaaaa-1", polls.pid), RunProcess("odds_burst", "gone", 2**22 + 1)]
    watch = BurstWatch()
    reported: list[HealthIssue] = []
    try:
        for process in (works, starts, polls):
            eventually(lambda process=process: is_run(process))  # type: ignore[misc]
        starts.suspend()
        polls.suspend()
        eventually(lambda: {starts.status(), polls.status()} == {psutil.STATUS_STOPPED})
        for now in range(0, 80, 5):
            used = works.cpu_times()
            eventually(lambda used=used: works.cpu_times() != used)  # type: ignore[misc]
            reported += watch.check(os.getpid(), noted, now)
        assert {finding.subject for finding in reported} == {"burst"}
        assert f"process {polls.pid} of run aaaaaaaa makes no progress for 20 seconds" in reported[0].detail
        assert f"process {starts.pid} of a run that starts makes no progress for 20 seconds" in reported[0].detail
        assert [spawned[1].wait(20), spawned[2].wait(20)] == [-signal.SIGKILL] * 2
        assert works.is_running()
    finally:
        for one in spawned:
            one.kill()
            one.wait()


def test_other_jobs_may_wait_and_time_that_nobody_saw_does_not_count() -> None:
    spawned = subprocess.Popen([sys.executable, "-S", "-c", RUN])
    run = psutil.Process(spawned.pid)
    try:
        eventually(lambda: is_run(run))
        run.suspend()
        eventually(lambda: run.status() == psutil.STATUS_STOPPED)
        other = [RunProcess("retention", "bbbbbbbb", run.pid)]
        waits, unseen = BurstWatch(), BurstWatch()
        assert not [finding for now in range(0, 600, 5) for finding in waits.check(os.getpid(), other, now)]
        assert not [finding for now in (0, 3_600) for finding in unseen.check(os.getpid(), [], now)]
    finally:
        spawned.kill()
        spawned.wait()


@pytest.mark.chaos
def test_a_watchdog_that_hangs_is_restarted_by_its_counterpart(home: Home) -> None:
    supervisor = Supervisor(home)
    supervisor.launch(os.environ)
    counterpart = Counterpart(home, supervisor, LivenessTimeouts(start_seconds=5, report_seconds=1, restart_seconds=3))
    counterpart.check(0)
    supervisor.add(Program("watchdog", (sys.executable, "-S", "-c", "import time; time.sleep(600)"), stop_seconds=1))
    eventually(lambda: bool(supervisor.programs()[0].pid))
    first = supervisor.programs()[0].pid
    start = time.monotonic()
    for now in range(0, 40, 2):
        write_heartbeat(home)
        counterpart.check(start + now)
    assert supervisor.programs()[0].pid == first
    psutil.Process(first).suspend()
    counterpart.check(start + 50)
    eventually(lambda: supervisor.programs()[0].pid not in {0, first})
