{{
    config(
        materialized='incremental',
        pre_hook='{{ delete_changed_seasons() }}'
    )
}}

-- How many of a book's expected closes exist, and why the others are missing.
with changed as materialized (

    {{ seasons_changed() }}

),

counted as (

    select
        lines.sport,
        lines.season,
        changed.fingerprint,
        lines.book,
        coalesce(lines.missing_reason, 'closed') as close_result,
        count(*) as closes
    from changed
    inner join {{ ref('closing_lines') }} as lines on changed.sport = lines.sport and changed.season = lines.season
    group by lines.sport, lines.season, changed.fingerprint, lines.book, lines.missing_reason

),

with_totals as (

    select
        *,
        sum(closes) over of_book as expected,
        sum(closes) filter (where close_result <> 'closed') over of_book as missing
    from counted
    window of_book as (partition by sport, season, book)

)

select
    sport,
    season,
    book,
    close_result,
    closes,
    expected::bigint as expected,
    (100.0 * closes / expected)::double precision as percent_of_expected,
    case when close_result <> 'closed' then (100.0 * closes / missing)::double precision end as percent_of_missing,
    fingerprint
from with_totals
