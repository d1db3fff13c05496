{{ config(materialized='incremental', incremental_strategy='truncate_insert', post_hook='{{ analyze_if_grown() }}') }}

-- An event closes when it first is what its start then said, and at its original start at the latest: a start that
-- is put off later does not open it again, and one that is brought forward ends the betting earlier.
with begun as (

    select
        event_id,
        min(greatest(observed_at, commence_at)) as begun_at
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
    least(events.original_commence_at, begun.begun_at) as closes_at
from {{ ref('stg_edge__events') }} as events
left join begun on events.event_id = begun.event_id
