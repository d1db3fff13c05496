{{ config(materialized='incremental', incremental_strategy='truncate_insert', post_hook='{{ analyze_if_grown() }}') }}

-- Betting on an event closes when its start, as announced at that time, is reached, and at its original start at the
-- latest: a postponed start does not reopen it, and a brought-forward start closes it earlier.
with started as (

    select
        event_id,
        min(greatest(observed_at, commence_at)) as started_at
    from {{ ref('stg_edge__event_starts') }}
    where superseded_at is null or greatest(observed_at, commence_at) < superseded_at
    group by event_id

)

select
    events.event_id,
    events.event,
    events.sport_id,
    events.sport,
    {{ season_of('events.sport', 'events.original_commence_at') }} as season,
    events.home_team,
    events.away_team,
    events.first_seen_at,
    events.original_commence_at,
    events.commence_at,
    least(events.original_commence_at, started.started_at) as closes_at
from {{ ref('stg_edge__events') }} as events
left join started on events.event_id = started.event_id
