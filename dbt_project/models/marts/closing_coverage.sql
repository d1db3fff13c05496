{{
    config(
        materialized='incremental',
        pre_hook='{{ forget_seasons() }}'
    )
}}

-- How many of the closes that are expected of a book there are, and why the others are missing.
with changed as materialized (

    {{ seasons_changed() }}

),

counted as (

    select
        lines.sport,
        lines.season,
        changed.stamp,
        lines.book,
        coalesce(lines.missing_reason, 'closed') as outcome_of_close,
        count(*) as closes
    from changed
    inner join {{ ref('closing_lines') }} as lines on changed.sport = lines.sport and changed.season = lines.season
    group by lines.sport, lines.season, changed.stamp, lines.book, lines.missing_reason

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
    case when outcome_of_close <> 'closed' then (100.0 * closes / missing)::double precision end as percent_of_missing,
    stamp
from totalled
