"""The runs of bursts as the sensor sees them."""

from __future__ import annotations

from datetime import UTC, datetime

from dagster import DagsterInstance, Failure, job, op

from edge_assets.defs.ingest.jobs import BURST_JOB
from edge_assets.defs.ingest.runs import WORK_TAG, BurstRuns

NOW = datetime.now(UTC)


@op(config_schema={"how": str})
def end(context) -> None:  # type: ignore[no-untyped-def]
    """End as configured."""
    how = context.op_config["how"]
    if how == "refused":
        raise Failure("nfl: the key is refused", allow_retries=False)
    if how == "crashed":
        raise ZeroDivisionError("unexpected")


@job(name=BURST_JOB)
def bursts() -> None:
    """Only the job's name matters."""
    end()


def ending(how: str) -> dict[str, object]:
    return {"ops": {"end": {"config": {"how": how}}}}


def run(instance: DagsterInstance, how: str, **tags: str) -> None:
    bursts.execute_in_process(instance=instance, run_config=ending(how), raise_on_error=False, tags=tags)


def test_a_failure_is_reported_until_a_run_succeeds() -> None:
    with DagsterInstance.ephemeral() as instance:
        assert BurstRuns(instance).last_failure is None
        run(instance, "refused")
        reported = BurstRuns(instance).last_failure
        assert reported is not None
        assert reported.endswith("failed: nfl: the key is refused")
        run(instance, "crashed")
        reported = BurstRuns(instance).last_failure
        assert reported is not None
        assert "unexpected" in reported
        run(instance, "well")
        assert BurstRuns(instance).last_failure is None


def test_only_runs_that_failed_at_startup_are_counted() -> None:
    with DagsterInstance.ephemeral() as instance:
        run(instance, "crashed")
        run(instance, "crashed")
        failed = BurstRuns(instance).startup_failures
        assert failed.consecutive == 2
        assert failed.last_failed_at is not None
        run(instance, "refused", **{WORK_TAG: "now"})
        assert BurstRuns(instance).startup_failures.consecutive == 0
        run(instance, "crashed")
        assert BurstRuns(instance).startup_failures.consecutive == 1


def test_a_run_marked_dead_is_a_failed_run() -> None:
    with DagsterInstance.ephemeral() as instance:
        started = instance.create_run_for_job(bursts, run_config=ending("well"))
        assert [burst.run_id for burst in BurstRuns(instance).in_flight(NOW)] == [started.run_id]
        BurstRuns(instance).fail_dead_runs([started.run_id, "no such run"])
        assert BurstRuns(instance).in_flight(NOW) == []
        assert "its process is gone" in str(BurstRuns(instance).last_failure)
