{{ config(materialized='incremental', incremental_strategy='truncate_insert', post_hook='{{ analyze_if_grown() }}') }}

-- The status of an event. Phantoms are listed and priced, but never played: their source says so, or later games have a
-- result and they have none. A contradicted result has no other status until a person decides. Withdrawn events come
-- only from imports that are held out.
with results as (

    select
        event_id,
        bool_or(is_contradicted) as is_contradicted,
        bool_or(status in ('final', 'shortened')) as is_final,
        min(status) filter (where status not in ('final', 'shortened')) as other_status
    from {{ ref('stg_edge__results') }}
    group by event_id

),

known_until as (

    select
        events.sport_id,
        max(events.commence_at) - make_interval(secs => {{ var('phantom_after_seconds') }}) as known_until
    from {{ ref('stg_edge__events') }} as events
    inner join results
        on events.event_id = results.event_id and results.is_final and not results.is_contradicted
    group by events.sport_id

)

select
    events.event_id,
    case
        when held_out.event_id is not null then 'withdrawn'
        when results.is_contradicted then 'contradicted'
        when results.is_final then 'played'
        when results.other_status = 'not_played' then 'phantom'
        when results.other_status is not null then results.other_status
        when events.commence_at < known_until.known_until then 'phantom'
        else 'awaited'
    end as event_status
from {{ ref('stg_edge__events') }} as events
left join results on events.event_id = results.event_id
left join known_until on events.sport_id = known_until.sport_id
left join {{ source('edge', 'held_out_events') }} as held_out on events.event_id = held_out.event_id
