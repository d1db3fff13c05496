{{
    config(
        materialized='incremental',
        tags=['nightly'],
        pre_hook='{{ delete_changed_seasons() }}'
    )
}}

with changed as materialized (

    {{ seasons_changed() }}

),

coverage as (

    select
        closes.sport,
        closes.season,
        changed.fingerprint,
        closes.book,
        max(closes.expected) as closes_expected,
        coalesce(sum(closes.percent_of_expected) filter (where closes.close_result = 'closed'), 0) as closed_percent
    from changed
    inner join {{ ref('closing_coverage') }} as closes
        on changed.sport = closes.sport and changed.season = closes.season
    group by closes.sport, closes.season, changed.fingerprint, closes.book

),

margins as (

    select
        events.sport,
        events.season,
        margins.book,
        100 * avg(margins.margin) filter (where margins.decision_point = 'close') as margin_percent,
        percentile_cont(0.5) within group (order by margins.age_seconds) as latency_p50_seconds
    from changed
    inner join {{ ref('int_events_with_season') }} as events
        on changed.sport = events.sport and changed.season = events.season
    inner join {{ ref('int_book_margins_calculated') }} as margins on events.event_id = margins.event_id
    group by events.sport, events.season, margins.book

),

accuracy as (

    select
        scored.sport,
        scored.season,
        scored.book,
        count(*) as scored_closes,
        avg(scored.log_loss) as log_loss,
        avg(scored.consensus_log_loss) - avg(scored.log_loss) as log_loss_gain,
        stddev_samp(scored.consensus_log_loss - scored.log_loss) / sqrt(count(*)) as log_loss_gain_error
    from changed
    inner join {{ ref('int_closes_scored') }} as scored
        on changed.sport = scored.sport and changed.season = scored.season
    group by scored.sport, scored.season, scored.book

),

speed as (

    select
        moves.sport,
        moves.season,
        moves.book,
        count(*) filter (where moves.books_before + moves.books_following > 0) as shared_moves,
        avg((moves.books_before = 0)::integer) filter (
            where moves.books_before + moves.books_following > 0
        ) as lead_share,
        percentile_cont(0.5) within group (order by moves.lag_seconds) as lag_p50_seconds
    from changed
    inner join {{ ref('line_moves') }} as moves on changed.sport = moves.sport and changed.season = moves.season
    where moves.books_before is not null
    group by moves.sport, moves.season, moves.book

),

closest as (

    select distinct on (sport, season, book) *
    from {{ ref('int_book_pairs_compared') }}
    where shared_closes >= {{ var('clone_closes') }}
    order by sport, season, book, mean_distance_probability

)

select
    coverage.sport,
    coverage.season,
    coverage.book,
    coverage.closes_expected,
    coverage.closed_percent,
    margins.margin_percent::double precision as margin_percent,
    margins.latency_p50_seconds,
    coalesce(accuracy.scored_closes, 0) as scored_closes,
    accuracy.log_loss::double precision as log_loss,
    accuracy.log_loss_gain::double precision as log_loss_gain,
    accuracy.log_loss_gain_error::double precision as log_loss_gain_error,
    coalesce(speed.shared_moves, 0) as shared_moves,
    speed.lead_share::double precision as lead_share,
    speed.lag_p50_seconds,
    closest.other_book as closest_book,
    closest.mean_distance_probability::double precision as closest_distance_probability,
    closest.mean_distance_probability < {{ var('clone_distance') }} as is_clone,
    coverage.fingerprint
from coverage
left join margins
    on coverage.sport = margins.sport and coverage.season = margins.season and coverage.book = margins.book
left join accuracy
    on coverage.sport = accuracy.sport and coverage.season = accuracy.season and coverage.book = accuracy.book
left join speed
    on coverage.sport = speed.sport and coverage.season = speed.season and coverage.book = speed.book
left join closest
    on coverage.sport = closest.sport and coverage.season = closest.season and coverage.book = closest.book
