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
    decisions.sport_id,
    decisions.decided_at
from {{ ref('int_decisions_dated') }} as decisions
inner join pending on decisions.sport_id = pending.sport_id
inner join horizon on decisions.sport_id = horizon.sport_id
where decisions.decided_at between pending.since and horizon.until
