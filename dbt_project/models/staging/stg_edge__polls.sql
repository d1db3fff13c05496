select
    polls.id as poll_id,
    polls.sport_id,
    sports.key as sport,
    polls.feed,
    polls.time_assumed as is_time_assumed,
    polls.run_id,
    (polls.scope ->> 'event')::integer as polled_event_id,
    polls.observed_at,
    polls.received_at,
    polls.events as events_listed,
    polls.quotes_seen,
    polls.ticks,
    polls.withdrawals,
    polls.rejected,
    polls.credits_last as credits_spent,
    polls.credits_remaining,
    polls.request_ms,
    polls.body_bytes
from {{ source('edge', 'admitted_polls') }} as polls
inner join {{ source('edge', 'sports') }} as sports on polls.sport_id = sports.id
