-- What a season's figures depend on: its last pricing, how many results have been stated, how many events were none.
with priced as (

    select
        events.sport,
        events.season,
        max(decisions.version) as version
    from {{ ref('stg_pricing__decisions') }} as decisions
    inner join {{ ref('int_events_timed') }} as events on decisions.event_id = events.event_id
    group by events.sport, events.season

),

stated as (

    select
        events.sport,
        events.season,
        count(*) as results
    from {{ ref('stg_edge__stated_results') }} as results
    inner join {{ ref('int_events_timed') }} as events on results.event_id = events.event_id
    group by events.sport, events.season

),

phantoms as (

    select
        events.sport,
        events.season,
        count(*) as phantoms
    from {{ ref('int_events_concluded') }} as concluded
    inner join {{ ref('int_events_timed') }} as events on concluded.event_id = events.event_id
    where concluded.event_status = 'phantom'
    group by events.sport, events.season

)

select
    priced.sport,
    priced.season,
    concat_ws('.', priced.version, coalesce(stated.results, 0), coalesce(phantoms.phantoms, 0)) as stamp
from priced
left join stated on priced.sport = stated.sport and priced.season = stated.season
left join phantoms on priced.sport = phantoms.sport and priced.season = phantoms.season
