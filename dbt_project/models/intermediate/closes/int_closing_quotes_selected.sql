-- The last quotes before the start, with the last evidence of each: its book's confirmation; the assumed time if its
-- source gives none; otherwise the last poll, which would have shown a change.
with closed as (

    select
        quotes.*,
        decisions.decided_at,
        priced.book_probability,
        priced.confirmed_at,
        polls.is_time_assumed,
        case
            when polls.is_time_assumed then quotes.observed_at
            else coalesce(priced.confirmed_at, decisions.polled_at)
        end as seen_at
    from {{ ref('int_quotes_as_of') }} as quotes
    inner join {{ ref('stg_pricing__decisions') }} as decisions
        on quotes.event_id = decisions.event_id and quotes.decision_point_id = decisions.decision_point_id
    inner join {{ ref('stg_pricing__quotes') }} as priced
        on
            quotes.event_id = priced.event_id
            and quotes.decision_point_id = priced.decision_point_id
            and quotes.market_id = priced.market_id
            and quotes.line_point = priced.line_point
            and quotes.outcome_id = priced.outcome_id
            and quotes.book_id = priced.book_id
    inner join {{ ref('stg_edge__polls') }} as polls on quotes.poll_id = polls.poll_id
    where quotes.decision_point_id = {{ decision_point_id('close') }}

)

select
    *,
    extract(epoch from decided_at - seen_at)::double precision as age_seconds,
    case
        when seen_at < decided_at - make_interval(secs => {{ var('max_close_age_seconds') }}) then 'stale'
        when
            seen_at < decided_at - make_interval(secs => {{ var('max_fresh_age_seconds') }}) and is_time_assumed
            then 'stale'
        when is_time_assumed then 'assumed'
        when confirmed_at is null then 'unconfirmed'
        when confirmed_at < decided_at - make_interval(secs => {{ var('max_fresh_age_seconds') }}) then 'aging'
        else 'fresh'
    end as staleness
from closed
