{{
    config(
        materialized='incremental',
        tags=['nightly'],
        pre_hook=['{{ delete_changed_seasons() }}', '{{ disable_sort() }}']
    )
}}

-- The distance of two books' closing probabilities over the selections that both close.
with changed as materialized (

    {{ seasons_changed() }}

),

closes as materialized (

    select
        lines.event_id,
        lines.sport,
        lines.season,
        lines.market,
        lines.outcome,
        coalesce(lines.point, 0) as point,
        lines.book,
        lines.book_probability,
        changed.fingerprint
    from changed
    inner join {{ ref('closing_lines') }} as lines on changed.sport = lines.sport and changed.season = lines.season
    where
        lines.missing_reason is null and lines.outcome in ('home', 'over') and lines.book_probability is not null

)

select
    ours.sport,
    ours.season,
    ours.fingerprint,
    ours.book,
    theirs.book as other_book,
    count(*) as shared_closes,
    avg(abs(ours.book_probability - theirs.book_probability)) as mean_distance_probability
from closes as ours
inner join closes as theirs
    on
        ours.event_id = theirs.event_id
        and ours.market = theirs.market
        and ours.outcome = theirs.outcome
        and ours.point = theirs.point
        and ours.book <> theirs.book
group by ours.sport, ours.season, ours.fingerprint, ours.book, theirs.book
