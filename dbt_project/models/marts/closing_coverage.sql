{{ config(materialized='table') }}

-- How many of the closes that are expected of a book there are, and why the others are missing.
with counted as (

    select
        sport,
        season,
        book,
        coalesce(missing_reason, 'closed') as outcome_of_close,
        count(*) as closes
    from {{ ref('closing_lines') }}
    group by sport, season, book, missing_reason

),

totalled as (

    select
        *,
        sum(closes) over of_book as expected,
        sum(closes) filter (where outcome_of_close <> 'closed') over of_book as missing
    from counted
    window of_book as (partition by sport, season, book)

)

select
    sport,
    season,
    book,
    outcome_of_close,
    closes,
    expected::bigint as expected,
    (100.0 * closes / expected)::double precision as percent_of_expected,
    case when outcome_of_close <> 'closed' then (100.0 * closes / missing)::double precision end as percent_of_missing
from totalled
