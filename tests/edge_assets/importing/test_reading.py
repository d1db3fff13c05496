"""Parts are prepared in order, ahead of what is stored, and share a transaction where nothing can be in two of them."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Event

from edge_assets.feeds.history.batch import Reading, Refusals
from edge_assets.feeds.history.sources import Part
from edge_assets.importing import reading
from edge_assets.importing.batches import Origin
from edge_assets.importing.formats import FormatName
from edge_assets.importing.importer import Importer
from edge_assets.importing.reading import Job, Ready, ahead
from tests.edge_assets.importing.seasons import MATCHES, rows, season


def job(n: int, size: int = 1) -> Job:
    return Job(Part(str(n), Path(), ()), size, Origin(n, "run"))


def read(_: Part) -> Reading:
    return Reading([], Refusals())


def test_parts_come_in_order_and_no_more_are_held_than_fit() -> None:
    begun: list[int] = []

    def prepare(a_job: Job, _: Reading) -> Ready:
        begun.append(a_job.origin.import_id)
        return Ready(a_job, Refusals(), [])

    parts = ahead(read, prepare, [job(n, reading.AHEAD // 2) for n in range(9)])
    first, _ = next(parts)
    assert first.origin.import_id == 0
    assert len(begun) <= 4
    assert [a_job.origin.import_id for a_job, _ in parts] == [*range(1, 9)]
    assert begun == [*range(9)]


def test_the_next_part_is_prepared_while_the_last_is_stored() -> None:
    prepared = [Event() for _ in range(2)]

    def prepare(a_job: Job, _: Reading) -> Ready:
        prepared[a_job.origin.import_id].set()
        return Ready(a_job, Refusals(), [])

    parts = ahead(read, prepare, [job(n, reading.AHEAD) for n in range(2)])
    next(parts)
    assert prepared[1].wait(10)
    assert len([*parts]) == 1


def test_the_next_part_is_read_while_one_is_prepared() -> None:
    both = Barrier(2)

    def read_second(part: Part) -> Reading:
        if part.name == "1":
            both.wait(10)
        return read(part)

    def prepare(a_job: Job, _: Reading) -> Ready:
        if a_job.part.name == "0":
            both.wait(10)
        return Ready(a_job, Refusals(), [])

    parts = ahead(read_second, prepare, [job(n) for n in range(2)])
    assert [part.result().job.part.name for _, part in parts] == ["0", "1"]


def test_files_of_different_leagues_share_a_transaction_and_a_league_twice_does_not(
    database_url: str, tmp_path: Path
) -> None:
    season(tmp_path / "a.csv", MATCHES[0])
    season(tmp_path / "b.csv", MATCHES[0].replace("E0", "SC0"))
    season(tmp_path / "c.csv", MATCHES[0].replace(",1.5,", ",1.6,"), MATCHES[1])
    with Importer(database_url) as importer:
        report = importer.run(FormatName.FOOTBALL_DATA, [tmp_path])
    by = dict(rows(database_url, "SELECT right(path, 5), xmin::text FROM imports"))
    assert by["a.csv"] == by["b.csv"] != by["c.csv"]
    assert rows(database_url, "SELECT right(path, 5), ticks, aggregates FROM imports ORDER BY 1") == [
        ("a.csv", 8, 2),
        ("b.csv", 8, 2),
        ("c.csv", 8, 2),
    ]
    assert report.ticks == rows(database_url, "SELECT count(*) FROM odds_ticks")[0][0] == 24
