"""The watchdog: its findings, where it publishes them, and that it restarts what hangs, with back-off."""

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

from edge_assets.health.issues import HealthIssue
from edge_assets.local.programs import Program
from edge_assets.local.runs import is_run
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.watchdog import probing, rounds
from edge_assets.local.watchdog.__main__ import time_limit
from edge_assets.local.watchdog.bursts import BurstWatch
from edge_assets.local.watchdog.clock import ClockMonitor, ClockReading
from edge_assets.local.watchdog.issue_reporter import IssueReporter, read_fallback_file
from edge_assets.local.watchdog.liveness import MAX_WAIT_SECONDS, SILENT, Liveness, LivenessTimeouts, StartCounter
from edge_assets.local.watchdog.mutual_watch import WatchdogMonitor, write_heartbeat
from edge_assets.local.watchdog.services import DAGSTER_PAGE, Observer, WatchedPorts, watched_services
from edge_assets.store.health.dagster_runs import RunProcess
from edge_assets.store.health.problems import ProblemKind, load_heartbeats, load_problems, report_problem
from edge_assets.store.postgres.database import connect
from tests.support.embedded_servers import eventually
from tests.support.servers.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from edge_assets.local.home import Home
    from edge_assets.local.watchdog.services import WatchedService
    from tests.support.servers.postgres import PostgresServer
    from tests.support.servers.valkey import ValkeyServer

TIMEOUTS = LivenessTimeouts(start_seconds=180, report_seconds=30, restart_seconds=90)


def live() -> Liveness:
    life = Liveness(TIMEOUTS, changed_at=0.0)
    life.observe("first", 1, -1_000.0)
    life.observe("second", 1, 1.0)
    return life


def test_silence_is_reported_then_met_with_restarts_at_growing_intervals() -> None:
    life, pid, restarts = live(), 1, []
    for now in range(2, 20_000, 5):
        life.observe("second", pid, now)
        assert (life.silent_seconds(now) is None) == (now - 1 <= TIMEOUTS.report_seconds)
        if life.is_restart_due(now):
            life.record_restart()
            pid += 1
            restarts.append(now)
    apart = [later - earlier for earlier, later in pairwise(restarts)]
    assert restarts[0] - 1 == pytest.approx(TIMEOUTS.restart_seconds, abs=6)
    assert apart[:3] == pytest.approx([360, 720, 1_440], abs=12)
    assert max(apart) <= MAX_WAIT_SECONDS + 12


def test_a_new_process_is_not_restarted_for_its_predecessors_silence() -> None:
    life = live()
    for now in range(5, 100, 5):
        life.observe("second", 1, now)
    life.observe("second", 2, 100)
    assert life.silent_seconds(100) is not None
    assert not life.is_restart_due(100 + TIMEOUTS.start_seconds)
    assert life.is_restart_due(101 + TIMEOUTS.start_seconds)


def test_a_process_that_has_answered_gets_no_more_time_to_start() -> None:
    life = Liveness(TIMEOUTS, changed_at=0.0)
    for now in (0, 5, 10):
        life.observe(now, 1, now)
    for now in range(15, 105, 5):
        life.observe(SILENT, 1, now)
    assert life.is_restart_due(10 + TIMEOUTS.restart_seconds + 1)


def test_a_new_sign_ends_the_silence_and_steady_work_resets_the_restarts() -> None:
    life = live()
    life.record_restart()
    life.observe("third", 2, 130)
    assert life.silent_seconds(150) is None
    for now in range(130, 900, 5):
        life.observe(now, 2, now)
    assert life.is_restart_due(900 + TIMEOUTS.restart_seconds)


def test_a_starting_service_gets_longer_and_an_unknown_state_counts_as_life() -> None:
    life = Liveness(TIMEOUTS, changed_at=0.0)
    life.observe("none yet", 1, 5)
    assert life.silent_seconds(100) is None
    assert life.silent_seconds(5 + 181) is not None
    life = live()
    life.observe(None, 1, 500)
    assert life.silent_seconds(520) is None


def test_silence_counts_from_the_last_answer_and_not_while_the_watchdog_was_stopped() -> None:
    life = live()
    for now in (20, 40):
        life.observe(SILENT, 1, now)
    assert life.silent_seconds(40) == 39
    life = live()
    life.observe("second", 1, 3_600)
    assert not life.is_restart_due(3_600)
    assert life.silent_seconds(3_600) is None
    life.observe("second", 1, 3_605)
    assert life.silent_seconds(3_605) == 35


def test_all_services_are_asked_at_once(home: Home, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question waits for the others: asked in turn, none would be answered."""
    watched = watched_services(WatchedPorts(1), Observer(time.monotonic, lambda *_: True, lambda _: 0), {})
    together = threading.Barrier(len(watched) + 1)
    monkeypatch.setattr(probing, "redis_fault", lambda _: together.wait(20) and None)
    asked = [one._replace(sign_of_life=lambda _: together.wait(20)) for one in watched]
    monkeypatch.setattr(rounds, "watched_services", lambda *_: asked)
    endpoints = rounds.Endpoints(database_url, None, "redis://127.0.0.1:1/0", WatchedPorts(1))
    rounds.Watchdog(home, Supervisor(home), endpoints, IssueReporter(home)).run_round()
    assert not together.broken


CODE_SERVER = """
import concurrent.futures, sys, time, grpc
server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
server.add_insecure_port("unix:" + sys.argv[1])
server.start()
time.sleep(60)
"""


def test_a_code_server_that_is_stopped_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "PROBE_TIMEOUT_SECONDS", 0.5)
    path = tmp_path / "code.sock"
    observer = Observer(lambda: 7.0, lambda *_: True, lambda _: 0)
    [service] = [s for s in watched_services(WatchedPorts(1), observer, {"code-x": path}) if s.name == "code-x"]
    assert service.restart_programs == ("code-x",)
    assert service.sign_of_life(None) == SILENT
    process = subprocess.Popen([sys.executable, "-c", CODE_SERVER, str(path)])
    try:
        eventually(lambda: service.sign_of_life(None) == 7.0)
        process.send_signal(signal.SIGSTOP)
        eventually(lambda: service.sign_of_life(None) == SILENT)
    finally:
        process.kill()
        process.wait()


def test_starts_are_counted_within_three_minutes() -> None:
    starts = StartCounter()
    assert [starts.observe(pid, now) for now, pid in enumerate((0, 7, 7, 8, 0, 9))] == [0, 0, 0, 1, 1, 2]
    assert starts.observe(9, 400) == 0


def test_a_clock_jump_and_a_suspension_are_reported_for_ten_minutes() -> None:
    watch = ClockMonitor()
    assert watch.observe(ClockReading(1_000, 0, 0)) == ""
    assert watch.observe(ClockReading(1_005.5, 5, 5)) == ""
    assert "set back by 60 minutes" in watch.observe(ClockReading(1_010.5 - 3_600, 10, 10))
    assert "set back" in watch.observe(ClockReading(1_015.5 - 3_600, 15, 15))
    assert watch.observe(ClockReading(1_700 - 3_600, 700, 700)) == ""
    assert "suspended for 5 minutes" in watch.observe(ClockReading(2_005 - 3_600, 705, 1_005))


def test_a_redis_that_accepts_a_write_has_no_fault(redis_url: str) -> None:
    assert probing.redis_fault(redis_url) is None


def test_a_redis_that_refuses_writes_or_is_unreachable(own_redis: ValkeyServer) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set("maxmemory", 1)
    assert (probing.redis_fault(own_redis.url) or ("", ""))[0] == probing.REFUSES_WRITES
    assert (probing.redis_fault(own_redis.url.replace("//", "//:wrong@")) or ("", ""))[0] == probing.UNREACHABLE
    own_redis.process.stop()
    assert (probing.redis_fault(own_redis.url) or ("", ""))[0] == probing.UNREACHABLE


def test_a_server_that_accepts_and_never_replies_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "PROBE_TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as hung:
        port = hung.getsockname()[1]
        assert probing.get_json(port, "/readyz") is None
        fault = probing.redis_fault(f"redis://127.0.0.1:{port}/0")
        assert fault is not None
        assert fault[0] == probing.UNREACHABLE


@pytest.mark.parametrize(("status", "is_report"), [(200, True), (503, True), (403, False)])
def test_a_refusal_is_not_a_sign_of_life(status: int, is_report: bool) -> None:
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
    assert (reported is not None) is is_report


def test_findings_are_stored_in_the_database_and_cleared(database_url: str, home: Home) -> None:
    hangs = HealthIssue(ProblemKind.SERVICE_HANGS, "scorer", "no sign of life for 40 seconds")
    with closing(connect(database_url, "test")) as conn:
        report_problem(conn, ProblemKind.DISK_LOW, "", "from an earlier process")
        report_problem(conn, ProblemKind.FEED_UNREACHABLE, "nba", "from another reporter")
        reporter = IssueReporter(home)
        reporter.save(conn, [hangs])
        assert {(p.kind, p.subject) for p in load_problems(conn)} == {
            ("service_hangs", "scorer"),
            ("feed_unreachable", "nba"),
        }
        reporter.save(conn, [])
        assert [p.kind for p in load_problems(conn)] == ["feed_unreachable"]


def test_the_findings_of_a_killed_watchdog_are_cleared(database_url: str, home: Home) -> None:
    own = [(ProblemKind.CLOCK_CHANGED, ""), (ProblemKind.RUN_FAILED, "results"), (ProblemKind.REDIS_UNREACHABLE, "")]
    others = [
        (ProblemKind.CLOCK_CHANGED, "machine"),
        (ProblemKind.CLOCK_CHANGED, "nfl"),
        (ProblemKind.RUN_FAILED, "odds_burst"),
    ]
    with closing(connect(database_url, "test")) as conn:
        for kind, subject in own + others:
            report_problem(conn, kind, subject, "-")
        IssueReporter(home).save(conn, [])
        assert {(p.kind, p.subject) for p in load_problems(conn)} == set(others)


def test_a_file_replaces_an_unreachable_database(database_url: str, home: Home) -> None:
    reporter = IssueReporter(home)
    reporter.write_fallback_file([HealthIssue(ProblemKind.DISK_LOW, "", "0 MiB free")])
    [finding] = read_fallback_file(home)
    assert (finding.kind, finding.detail) == ("disk_low", "0 MiB free")
    with closing(connect(database_url, "test")) as conn:
        reporter.save(conn, [])
    assert read_fallback_file(home) == []


def test_the_last_log_line_of_a_service(tmp_path: Path) -> None:
    log = tmp_path / "scorer.log"
    assert probing.last_log_line(log) == ""
    log.write_bytes(b"x" * 10_000 + b"\nit \xff ends\n\n")
    assert probing.last_log_line(log).endswith("ends")


def test_a_round_that_takes_too_long_is_aborted_despite_its_handlers() -> None:
    has_continued = False
    with time_limit(0.2):
        with suppress(Exception):
            time.sleep(30)
        has_continued = True
    assert not has_continued


ANSWERING = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.mark.chaos
@pytest.mark.parametrize("name", ["serving", DAGSTER_PAGE])
def test_a_hanging_server_is_reported_and_restarted(
    home: Home, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(probing, "PROBE_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(rounds, "watched_services", watch_one_briefly(name))
    port, supervisor = free_port(), Supervisor(home)
    supervisor.launch(os.environ)
    (home.root / "answering.py").write_text(ANSWERING)
    on_demand = name != "serving"
    command = (sys.executable, str(home.root / "answering.py"), str(port))
    supervisor.add(Program(name, command, stop_seconds=1, on_demand=on_demand))
    endpoints = rounds.Endpoints(database_url, None, redis_url, WatchedPorts(port, dagster_page=port))
    watch = rounds.Watchdog(home, supervisor, endpoints, IssueReporter(home))

    def run_round() -> set[tuple[str, str]]:
        watch.run_round()
        with closing(connect(database_url, "test")) as conn:
            return {(p.kind, p.subject) for p in load_problems(conn) if p.subject == name}

    if on_demand:
        assert run_round() | run_round() == set()
        supervisor.start(name)
    eventually(lambda: probing.get_json(port, "/readyz") is not None)
    assert run_round() | run_round() == set()
    hung = psutil.Process(supervisor.programs()[0].pid)
    hung.suspend()
    eventually(lambda: run_round() == {("service_hangs", name)})
    eventually(lambda: run_round() == set() and not hung.is_running(), 60)
    with closing(connect(database_url, "test")) as conn:
        assert "watchdog" in load_heartbeats(conn)


def watch_one_briefly(name: str) -> Callable[..., list[WatchedService]]:
    """Only one service, with short timeouts."""

    def watch(ports: WatchedPorts, observer: Observer, code_servers: Mapping[str, Path]) -> list[WatchedService]:
        [service] = [found for found in watched_services(ports, observer, code_servers) if found.name == name]
        return [service._replace(timeouts=LivenessTimeouts(1, 0.6, 1.5))]

    return watch


def test_a_response_of_another_homes_server_is_not_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "get_json", lambda *_: {"ready": True})
    ours, ports = {8000: False}, WatchedPorts(8000, None)
    [serving] = [
        service
        for service in watched_services(ports, Observer(lambda: 7.0, lambda _, port: ours[port], lambda _: 0), {})
        if service.name == "serving"
    ]
    assert serving.sign_of_life(None) == "silent"
    ours[8000] = True
    assert serving.sign_of_life(None) == 7.0


def test_a_database_and_a_cache_reply_without_authentication(
    own_postgres: PostgresServer, own_redis: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "PROBE_TIMEOUT_SECONDS", 1.0)
    redis_port = urlsplit(own_redis.url).port or 0
    listed = watched_services(
        WatchedPorts(1, valkey=redis_port, postgres=own_postgres.port),
        Observer(lambda: 7.0, lambda *_: True, lambda _: 0),
        {},
    )
    signs = {s.name: s.sign_of_life for s in listed if s.name in {"valkey", "postgres"}}
    assert {name: sign(None) for name, sign in signs.items()} == {"valkey": 7.0, "postgres": 7.0}
    with own_postgres.process.suspend_during(), own_redis.process.suspend_during():
        assert {name: sign(None) for name, sign in signs.items()} == {"valkey": "silent", "postgres": "silent"}


RUN = "spawn_main = 0\nwhile True: pass"


def test_a_stopped_burst_is_reported_and_killed_and_a_working_one_is_not() -> None:
    spawned = [subprocess.Popen([sys.executable, "-S", "-c", RUN]) for _ in range(3)]
    works, starts, polls = (psutil.Process(process.pid) for process in spawned)
    recorded = [RunProcess("odds_burst", "aaaaaaaa-1", polls.pid), RunProcess("odds_burst", "gone", 2**22 + 1)]
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
            reported += watch.check(os.getpid(), recorded, now)
        assert {finding.subject for finding in reported} == {"burst"}
        assert f"process {polls.pid} of run aaaaaaaa has made no progress for 20 seconds" in reported[0].detail
        assert f"process {starts.pid} of a starting run has made no progress for 20 seconds" in reported[0].detail
        assert [spawned[1].wait(20), spawned[2].wait(20)] == [-signal.SIGKILL] * 2
        assert works.is_running()
    finally:
        for one in spawned:
            one.kill()
            one.wait()


def test_other_jobs_may_wait_and_unobserved_time_does_not_count() -> None:
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
def test_a_hanging_watchdog_is_restarted_by_its_counterpart(home: Home) -> None:
    supervisor = Supervisor(home)
    supervisor.launch(os.environ)
    monitor = WatchdogMonitor(home, supervisor, LivenessTimeouts(start_seconds=5, report_seconds=1, restart_seconds=3))
    monitor.check(0)
    supervisor.add(Program("watchdog", (sys.executable, "-S", "-c", "import time; time.sleep(600)"), stop_seconds=1))
    eventually(lambda: bool(supervisor.programs()[0].pid))
    first = supervisor.programs()[0].pid
    start = time.monotonic()
    for now in range(0, 40, 2):
        write_heartbeat(home)
        monitor.check(start + now)
    assert supervisor.programs()[0].pid == first
    psutil.Process(first).suspend()
    monitor.check(start + 50)
    eventually(lambda: supervisor.programs()[0].pid not in {0, first})
