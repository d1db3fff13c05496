{{ config(materialized='incremental', incremental_strategy='truncate_insert', post_hook='{{ analyzed() }}') }}

-- What is built and priced anew, with the last look before it, at its sport or at its event alone, and the last that
-- states when books confirmed what they offer. Decisions and looks go through one window: a search for each decision
-- took minutes in an archive whose looks state nothing.
with polls as (

    select
        sport_id,
        looked_event_id,
        observed_at,
        poll_id,
        is_time_assumed
    from {{ ref('stg_edge__polls') }}
    where sport_id in (select pending.sport_id from {{ ref('int_polls_pending') }} as pending)

),

looks as (

    select
        sport_id,
        observed_at as looked_at,
        bool_or(looked_event_id is null) as is_at_sport,
        max(poll_id) filter (where not is_time_assumed) as listing_id
    from polls
    group by sport_id, observed_at

),

timeline as (

    select
        sport_id,
        event_id,
        moment_id,
        decided_at as happened_at,
        null::timestamptz as sport_looked_at,
        null::timestamptz as event_looked_at,
        null::timestamptz as listed_at
    from {{ ref('int_decisions_pending') }}
    union all
    select
        sport_id,
        null as event_id,
        null as moment_id,
        looked_at as happened_at,
        case when is_at_sport then looked_at end as sport_looked_at,
        null as event_looked_at,
        case when listing_id is not null then looked_at end as listed_at
    from looks
    union all
    select
        sport_id,
        looked_event_id as event_id,
        null as moment_id,
        observed_at as happened_at,
        null as sport_looked_at,
        observed_at as event_looked_at,
        null as listed_at
    from polls
    where looked_event_id is not null

),

remembered as (

    select
        sport_id,
        event_id,
        moment_id,
        happened_at as decided_at,
        max(sport_looked_at) over of_sport as sport_looked_at,
        max(event_looked_at) over of_event as event_looked_at,
        max(listed_at) over of_sport as listed_at
    from timeline
    window
        of_sport as (partition by sport_id order by happened_at),
        of_event as (partition by sport_id, event_id order by happened_at)

)

select
    remembered.event_id,
    remembered.moment_id,
    remembered.decided_at,
    looks.listing_id as poll_id,
    greatest(remembered.sport_looked_at, remembered.event_looked_at) as polled_at
from remembered
left join looks on remembered.sport_id = looks.sport_id and remembered.listed_at = looks.looked_at
where remembered.moment_id is not null
