{{ config(materialized='incremental', incremental_strategy='truncate_insert', post_hook='{{ analyze_if_grown() }}') }}

-- The decisions to rebuild and reprice, with the last poll before them, of their sport or only of their event, and the
-- last that states when books confirmed their prices. One window covers decisions and polls: a search per decision
-- takes minutes in an archive whose polls state no confirmations.
with polls as (

    select
        sport_id,
        polled_event_id,
        observed_at,
        poll_id,
        is_time_assumed
    from {{ ref('stg_edge__polls') }}
    where sport_id in (select pending.sport_id from {{ ref('int_polls_unpriced') }} as pending)

),

polls_at as (

    select
        sport_id,
        observed_at as polled_at,
        bool_or(polled_event_id is null) as is_at_sport,
        max(poll_id) filter (where not is_time_assumed) as listing_id
    from polls
    group by sport_id, observed_at

),

timeline as (

    select
        sport_id,
        event_id,
        decision_point_id,
        decided_at as happened_at,
        null::timestamptz as sport_polled_at,
        null::timestamptz as event_polled_at,
        null::timestamptz as listed_at
    from {{ ref('int_decisions_affected') }}
    union all
    select
        sport_id,
        null as event_id,
        null as decision_point_id,
        polled_at as happened_at,
        case when is_at_sport then polled_at end as sport_polled_at,
        null as event_polled_at,
        case when listing_id is not null then polled_at end as listed_at
    from polls_at
    union all
    select
        sport_id,
        polled_event_id as event_id,
        null as decision_point_id,
        observed_at as happened_at,
        null as sport_polled_at,
        observed_at as event_polled_at,
        null as listed_at
    from polls
    where polled_event_id is not null

),

decided as (

    select
        sport_id,
        event_id,
        decision_point_id,
        happened_at as decided_at,
        max(sport_polled_at) over of_sport as sport_polled_at,
        max(event_polled_at) over of_event as event_polled_at,
        max(listed_at) over of_sport as listed_at
    from timeline
    window
        of_sport as (partition by sport_id order by happened_at),
        of_event as (partition by sport_id, event_id order by happened_at)

)

select
    decided.event_id,
    decided.decision_point_id,
    decided.decided_at,
    polls_at.listing_id as poll_id,
    greatest(decided.sport_polled_at, decided.event_polled_at) as polled_at
from decided
left join polls_at on decided.sport_id = polls_at.sport_id and decided.listed_at = polls_at.polled_at
where decided.decision_point_id is not null
