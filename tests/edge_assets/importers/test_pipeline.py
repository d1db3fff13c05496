"""Units are prepared in order and ahead of storing, and share a transaction if they cannot overlap."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Event

from edge_assets.importers import pipeline
from edge_assets.importers.formats.batch import ParseResult, Rejections
from edge_assets.importers.formats.source_units import ImportUnit
from edge_assets.importers.importer import Importer
from edge_assets.importers.pipeline import ImportTask, PreparedUnit, prepare_ahead
from edge_assets.importers.quote_batches import ImportContext
from edge_assets.reference.sources import Source
from tests.support.football_files import MATCHES, rows, season


def make_task(n: int, size: int = 1) -> ImportTask:
    return ImportTask(ImportUnit(str(n), Path(), ()), size, ImportContext(n, "run"))


def read(_: ImportUnit) -> ParseResult:
    return ParseResult([], Rejections())


def test_units_come_in_order_and_prefetching_is_limited() -> None:
    started: list[int] = []

    def prepare(task: ImportTask, _: ParseResult) -> PreparedUnit:
        started.append(task.context.import_id)
        return PreparedUnit(task, Rejections(), [])

    units = prepare_ahead(read, prepare, [make_task(n, pipeline.PREFETCH_BYTES // 2) for n in range(9)])
    first, _ = next(units)
    assert first.context.import_id == 0
    assert len(started) <= 4
    assert [task.context.import_id for task, _ in units] == [*range(1, 9)]
    assert started == [*range(9)]


def test_the_next_unit_is_prepared_while_one_is_stored() -> None:
    prepared = [Event() for _ in range(2)]

    def prepare(task: ImportTask, _: ParseResult) -> PreparedUnit:
        prepared[task.context.import_id].set()
        return PreparedUnit(task, Rejections(), [])

    units = prepare_ahead(read, prepare, [make_task(n, pipeline.PREFETCH_BYTES) for n in range(2)])
    next(units)
    assert prepared[1].wait(10)
    assert len([*units]) == 1


def test_the_next_unit_is_read_while_one_is_prepared() -> None:
    both = Barrier(2)

    def read_second(unit: ImportUnit) -> ParseResult:
        if unit.name == "1":
            both.wait(10)
        return read(unit)

    def prepare(task: ImportTask, _: ParseResult) -> PreparedUnit:
        if task.unit.name == "0":
            both.wait(10)
        return PreparedUnit(task, Rejections(), [])

    units = prepare_ahead(read_second, prepare, [make_task(n) for n in range(2)])
    assert [future.result().task.unit.name for _, future in units] == ["0", "1"]


def test_different_leagues_share_a_transaction_and_a_repeated_league_does_not(
    database_url: str, tmp_path: Path
) -> None:
    season(tmp_path / "a.csv", MATCHES[0])
    season(tmp_path / "b.csv", MATCHES[0].replace("E0", "SC0"))
    season(tmp_path / "c.csv", MATCHES[0].replace(",1.5,", ",1.6,"), MATCHES[1])
    with Importer(database_url) as importer:
        report = importer.run(Source.FOOTBALL_DATA, [tmp_path])
    by = dict(rows(database_url, "SELECT right(path, 5), xmin::text FROM imports"))
    assert by["a.csv"] == by["b.csv"] != by["c.csv"]
    assert rows(database_url, "SELECT right(path, 5), ticks, aggregates FROM imports ORDER BY 1") == [
        ("a.csv", 8, 2),
        ("b.csv", 8, 2),
        ("c.csv", 8, 2),
    ]
    assert report.ticks == rows(database_url, "SELECT count(*) FROM odds_ticks")[0][0] == 24
