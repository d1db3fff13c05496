{{ config(materialized='table', post_hook='{{ analyzed() }}') }}

-- What is built and priced anew, with the last look at the sport before it and the last that states when books
-- confirmed what they offer. Decisions and looks go through one window: a search for each decision took minutes in an
-- archive whose looks state nothing.
with looks as (

    select
        sport_id,
        observed_at as looked_at,
        max(poll_id) filter (where not is_time_assumed) as listing_id
    from {{ ref('stg_edge__polls') }}
    where sport_id in (select pending.sport_id from {{ ref('int_polls_pending') }} as pending)
    group by sport_id, observed_at

),

timeline as (

    select
        sport_id,
        event_id,
        moment_id,
        decided_at as happened_at,
        null::timestamptz as polled_at,
        null::timestamptz as listed_at
    from {{ ref('int_decisions_pending') }}
    union all
    select
        sport_id,
        null as event_id,
        null as moment_id,
        looked_at as happened_at,
        looked_at as polled_at,
        case when listing_id is not null then looked_at end as listed_at
    from looks

),

remembered as (

    select
        sport_id,
        event_id,
        moment_id,
        happened_at as decided_at,
        max(polled_at) over until_then as polled_at,
        max(listed_at) over until_then as listed_at
    from timeline
    window until_then as (partition by sport_id order by happened_at)

)

select
    remembered.event_id,
    remembered.moment_id,
    remembered.decided_at,
    looks.listing_id as poll_id,
    remembered.polled_at
from remembered
left join looks on remembered.sport_id = looks.sport_id and remembered.listed_at = looks.looked_at
where remembered.event_id is not null
