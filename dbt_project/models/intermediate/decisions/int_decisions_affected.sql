{{ config(materialized='ephemeral') }}

-- A poll only affects decisions after it: pending polls affect the decisions from the first of them on, up to the last
-- poll, since nothing later is known. An archive ends with its last poll before a start: no later poll comes, so that
-- starts soon after it are decided too. Decisions between the first pending poll and the poll before it lay in the
-- future when that one was priced, and are due as well. Held-out polls count here: decisions made while they were
-- admitted are rebuilt.
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
