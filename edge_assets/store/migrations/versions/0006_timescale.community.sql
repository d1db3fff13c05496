-- Payloads are compressed as they come. A segment is an event, which is what as-of reads ask for; in it the ticks of a
-- poll, which share three times, stand together. Of the NFL week remain 1/3.8, in order of selection 1/2.4, with an
-- event and a book for a segment 1/1.6; without segments 1/5.0, but to read an event then opens others' batches.
-- Chunks of a week would leave 1/5.2: that gap closes as polls come faster (batches hold 1,000 ticks of an event, and a
-- poll every 20 minutes leaves 200 a day), while retention and reads of single polls stay with days.
ALTER TABLE odds_ticks SET (
    timescaledb.compress,
    timescaledb.compress_segmentby = 'event_id',
    timescaledb.compress_orderby = 'observed_at, book_id, market_id'
);

-- a week: by then the events of a day have been played, and nobody writes to it but an importer
SELECT add_compression_policy('odds_ticks', compress_after => interval '7 days');

CREATE MATERIALIZED VIEW price_candles
WITH (
    timescaledb.continuous,
    timescaledb.materialized_only = false,
    timescaledb.create_group_indexes = false
) AS
SELECT
    event_id,
    market_id,
    outcome_id,
    point,
    book_id,
    time_bucket(interval '15 minutes', observed_at) AS bucket,
    first(price, observed_at) AS first_price,
    last(price, observed_at) AS last_price,
    min(price) AS min_price,
    max(price) AS max_price,
    count(*) AS ticks
FROM odds_ticks
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;

CREATE INDEX price_candles_event ON price_candles (event_id, bucket);

-- without a beginning: an importer writes years ago, and only what has changed is computed again
SELECT
    add_continuous_aggregate_policy(
        'price_candles',
        start_offset => NULL,
        end_offset => interval '1 hour',
        schedule_interval => interval '1 hour'
    );
