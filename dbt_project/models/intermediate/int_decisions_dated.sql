{{ config(materialized='ephemeral') }}

-- The moments of an event at which the market is looked at. The close is the last microsecond before the event
-- begins; a moment that a start brought forward has overtaken is the close too.
with moments (moment_id, moment, seconds_before) as (

    values {{ moment_rows() }}

),

dated as (

    select
        events.event_id,
        events.sport_id,
        moments.moment_id::smallint as moment_id,
        events.first_seen_at,
        events.closes_at - interval '1 microsecond' as closing_at,
        coalesce(
            events.original_commence_at - make_interval(secs => moments.seconds_before), events.first_seen_at
        ) as nominal_at
    from {{ ref('int_events_timed') }} as events
    cross join moments

)

select
    event_id,
    sport_id,
    moment_id,
    least(nominal_at, closing_at) as decided_at
from dated
where least(nominal_at, closing_at) >= first_seen_at or moment_id = {{ moment_id('close') }}
