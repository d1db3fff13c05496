{{
    config(
        materialized='incremental',
        incremental_strategy='truncate_insert',
        indexes=[{'columns': ['sport', 'book', 'known_from']}],
        post_hook='{{ analyze_if_grown() }}'
    )
}}

-- How well a book's closes have predicted results, by the first day (UTC) on which it is known: log loss of the
-- consensus less the book's, in nats per game. A few games are weak evidence, so it is shrunk to 0. A result that is
-- contradicted or decided otherwise is removed on the day after that became known.
with scored as (

    select
        closes.sport,
        closes.book,
        winners.known_at,
        winners.superseded_at,
        -- numeric, because the last bit of a sum of floats depends on the order of rows
        (ln(closes.book_probability) - ln(closes.consensus_probability))::numeric as gain
    from {{ ref('closing_lines') }} as closes
    inner join {{ ref('int_winners_as_known') }} as winners
        on closes.event_id = winners.event_id and closes.market = winners.market and closes.outcome = winners.winner
    where
        closes.missing_reason is null
        and closes.book_probability is not null
        and closes.consensus_probability is not null

),

changed as (

    select
        sport,
        book,
        known_at,
        1 as games,
        gain
    from scored
    union all
    select
        sport,
        book,
        superseded_at as known_at,
        -1 as games,
        0 - gain as gain
    from scored
    where superseded_at is not null

),

by_day as (

    select
        sport,
        book,
        (known_at at time zone 'utc')::date + 1 as known_from,
        sum(games) as games,
        sum(gain) as gain
    from changed
    group by sport, book, (known_at at time zone 'utc')::date

)

select
    sport,
    book,
    known_from,
    sum(games) over of_book as games,
    (sum(gain) over of_book / (sum(games) over of_book + {{ var('sharpness_games') }}))::double precision
        as log_loss_gain
from by_day
window of_book as (partition by sport, book order by known_from)
