{{ config(materialized='table', post_hook='{{ analyzed() }}') }}

-- A poll changes nothing that was decided before it. So what pending polls can change are the decisions from the
-- first of them on; until the last poll, because nothing is known of what comes later.
with pending as (

    select
        sport_id,
        min(observed_at) as since
    from {{ ref('int_polls_pending') }}
    group by sport_id

),

horizon as (

    select
        sport_id,
        max(observed_at) as until
    from {{ ref('stg_edge__polls') }}
    group by sport_id

)

select
    decisions.event_id,
    decisions.moment_id,
    decisions.decided_at,
    listing.poll_id,
    look.polled_at
from {{ ref('int_decisions_dated') }} as decisions
inner join pending on decisions.sport_id = pending.sport_id
inner join horizon on decisions.sport_id = horizon.sport_id
left join lateral (
    select max(polls.observed_at) as polled_at
    from {{ ref('stg_edge__polls') }} as polls
    where polls.sport_id = decisions.sport_id and polls.observed_at <= decisions.decided_at
) as look on true
-- the last poll that states when books confirmed what they offer
left join lateral (
    select polls.poll_id
    from {{ ref('stg_edge__polls') }} as polls
    where
        polls.sport_id = decisions.sport_id
        and polls.observed_at <= decisions.decided_at
        and not polls.is_time_assumed
    order by polls.observed_at desc, polls.poll_id desc
    limit 1
) as listing on true
where decisions.decided_at between pending.since and horizon.until
