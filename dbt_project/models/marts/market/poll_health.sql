{{
    config(
        materialized='incremental',
        unique_key=['sport', 'day'],
        incremental_strategy='delete+insert'
    )
}}

with polls as (

    select
        *,
        (observed_at at time zone 'utc')::date as day,
        extract(epoch from observed_at - lag(observed_at) over (
            partition by sport order by observed_at
        )) as gap_seconds
    from {{ ref('stg_edge__polls') }}
    {% if is_incremental() %}
        -- the last stored day is rebuilt, because it was not over; the day before supplies its first gap
        where observed_at >= (
            select (max(stored.day) - 1)::timestamp at time zone 'utc' from {{ this }} as stored
        )
    {% endif %}

)

select
    sport,
    day,
    count(*) as polls,
    sum(quotes_seen)::bigint as quotes_seen,
    sum(ticks)::bigint as ticks,
    sum(withdrawals)::bigint as withdrawals,
    sum(credits_spent)::bigint as credits_spent,
    percentile_cont(0.5) within group (order by request_ms) as request_p50_ms,
    percentile_cont(0.95) within group (order by request_ms) as request_p95_ms,
    percentile_cont(0.95) within group (order by gap_seconds) as gap_p95_seconds
from polls
{% if is_incremental() %}
    where day >= (select max(stored.day) from {{ this }} as stored)
{% endif %}
group by sport, day
