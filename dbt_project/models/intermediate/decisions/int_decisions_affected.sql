{{ config(materialized='ephemeral') }}

-- A poll changes nothing that was decided before it. So what pending polls can change are the decisions from the
-- first of them on; until the last poll, because nothing is known of what comes later. An archive ends with its last
-- poll before a start: no later one comes, so that starts soon after it are decided too. What was decided between the
-- first of them and the poll before it was later than anything known when that one was priced: it is due as well. Polls
-- that are held out count here: what was decided when they were let in is decided anew.
with first_pending as (

    select
        sport_id,
        min(observed_at) as observed_at
    from {{ ref('int_polls_unpriced') }}
    group by sport_id

),

pending as (

    select
        first_pending.sport_id,
        coalesce(max(polls.observed_at), '-infinity') as since
    from first_pending
    left join {{ source('edge', 'polls') }} as polls
        on first_pending.sport_id = polls.sport_id and first_pending.observed_at > polls.observed_at
    group by first_pending.sport_id

),

horizon as (

    select
        sport_id,
        max(
            case
                when import_id is null then observed_at
                else observed_at + make_interval(secs => {{ var('max_poll_age_seconds') }})
            end
        ) as until
    from {{ source('edge', 'polls') }}
    group by sport_id

)

select
    decisions.event_id,
    decisions.decision_point_id,
    decisions.sport_id,
    decisions.decided_at
from {{ ref('int_decision_times_generated') }} as decisions
inner join pending on decisions.sport_id = pending.sport_id
inner join horizon on decisions.sport_id = horizon.sport_id
where decisions.decided_at > pending.since and decisions.decided_at <= horizon.until
