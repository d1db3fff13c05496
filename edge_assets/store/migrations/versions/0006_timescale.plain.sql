-- What is a continuous aggregate in the community edition: the same names, the same answers, computed when asked.
CREATE VIEW price_candles AS
SELECT
    event_id,
    market_id,
    outcome_id,
    point,
    book_id,
    date_bin('15 minutes', observed_at, 'epoch') AS bucket,
    (array_agg(price ORDER BY observed_at))[1] AS first_price,
    (array_agg(price ORDER BY observed_at DESC))[1] AS last_price,
    min(price) AS min_price,
    max(price) AS max_price,
    count(*) AS ticks
FROM odds_ticks
GROUP BY 1, 2, 3, 4, 5, 6;
