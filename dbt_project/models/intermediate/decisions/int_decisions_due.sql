{{ config(materialized='incremental', incremental_strategy='truncate_insert', post_hook='{{ analyze_if_grown() }}') }}

-- What is built and priced anew, with the last look before it, at its sport or at its event alone, and the last that
-- states when books confirmed what they offer. Decisions and looks go through one window: a search for each decision
-- took minutes in an archive whose looks state nothing.
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

remembered as (

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
    remembered.event_id,
    remembered.decision_point_id,
    remembered.decided_at,
    polls_at.listing_id as poll_id,
    greatest(remembered.sport_polled_at, remembered.event_polled_at) as polled_at
from remembered
left join polls_at on remembered.sport_id = polls_at.sport_id and remembered.listed_at = polls_at.polled_at
where remembered.decision_point_id is not null
