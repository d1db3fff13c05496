-- What a season's figures depend on: its last pricing, and the numbers of stated or decided results, of settled match
-- results, and of phantom events.
with priced as (

    select
        event_id,
        max(version) as version
    from {{ ref('stg_pricing__decisions') }}
    group by event_id

),

stated as (

    select
        event_id,
        count(*) as results
    from {{ ref('stg_edge__stated_results') }}
    group by event_id

),

settled as (

    select
        event_id,
        count(*) as markets
    from {{ ref('int_winners_settled') }}
    group by event_id

)

select
    events.sport,
    events.season,
    concat_ws(
        '.',
        max(priced.version),
        coalesce(sum(stated.results), 0),
        coalesce(sum(settled.markets), 0),
        count(*) filter (where statuses.event_status = 'phantom')
    ) as fingerprint
from {{ ref('int_events_with_season') }} as events
inner join {{ ref('int_events_with_status') }} as statuses on events.event_id = statuses.event_id
left join priced on events.event_id = priced.event_id
left join stated on events.event_id = stated.event_id
left join settled on events.event_id = settled.event_id
group by events.sport, events.season
