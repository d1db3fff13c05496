{{ config(materialized='ephemeral') }}

-- The times of an event's decision points. The close is the last microsecond before the event begins; a decision
-- point that a brought-forward start has overtaken is the close too.
with decision_points (decision_point_id, decision_point, seconds_before) as (

    values {{ decision_point_rows() }}

),

timed as (

    select
        events.event_id,
        events.sport_id,
        decision_points.decision_point_id::smallint as decision_point_id,
        events.first_seen_at,
        events.closes_at - interval '1 microsecond' as closing_at,
        coalesce(
            events.original_commence_at - make_interval(secs => decision_points.seconds_before), events.first_seen_at
        ) as nominal_at
    from {{ ref('int_events_with_season') }} as events
    cross join decision_points

)

select
    event_id,
    sport_id,
    decision_point_id,
    least(nominal_at, closing_at) as decided_at
from timed
where least(nominal_at, closing_at) >= first_seen_at or decision_point_id = {{ decision_point_id('close') }}
