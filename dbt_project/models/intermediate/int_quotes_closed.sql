-- The last quotes before the start. Where the source states no time, the age is as good as the assumed one.
with closed as (

    select
        quotes.*,
        decisions.decided_at,
        decisions.version,
        priced.book_probability,
        polls.is_time_assumed,
        coalesce(priced.confirmed_at, case when polls.is_time_assumed then quotes.observed_at end) as confirmed_at
    from {{ ref('int_quotes_as_of') }} as quotes
    inner join {{ ref('stg_pricing__decisions') }} as decisions
        on quotes.event_id = decisions.event_id and quotes.moment_id = decisions.moment_id
    inner join {{ ref('stg_pricing__quotes') }} as priced
        on
            quotes.event_id = priced.event_id
            and quotes.moment_id = priced.moment_id
            and quotes.market_id = priced.market_id
            and quotes.line_point = priced.line_point
            and quotes.outcome_id = priced.outcome_id
            and quotes.book_id = priced.book_id
    inner join {{ ref('stg_edge__polls') }} as polls on quotes.poll_id = polls.poll_id
    where quotes.moment_id = {{ moment_id('close') }}

)

select
    *,
    extract(epoch from decided_at - confirmed_at)::double precision as age_seconds,
    case
        when confirmed_at is null then 'unknown'
        when confirmed_at < decided_at - make_interval(secs => {{ var('stale_seconds') }}) then 'stale'
        when is_time_assumed then 'assumed'
        when confirmed_at < decided_at - make_interval(secs => {{ var('fresh_seconds') }}) then 'aging'
        else 'fresh'
    end as staleness
from closed
