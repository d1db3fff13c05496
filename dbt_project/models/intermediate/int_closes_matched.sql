-- Every close that is expected, with the quotes that stood, or the reason why none counts.
select
    expected.event_id,
    expected.market_id,
    expected.outcome_id,
    expected.book_id,
    expected.version,
    expected.is_watched and concluded.event_status <> 'phantom' as is_watched,
    concluded.event_status,
    closed.line_point,
    closed.price_decimal,
    closed.observed_at,
    closed.confirmed_at,
    closed.age_seconds,
    closed.staleness,
    closed.book_probability,
    case
        when concluded.event_status = 'phantom' then 'phantom_event'
        when closed.staleness <> 'stale' then null
        when not expected.is_watched then 'not_polled'
        when closed.staleness = 'stale' then 'stale'
        when expected.is_offered_before_start is null then 'never_quoted'
        when not expected.is_offered_before_start then 'only_in_play'
        else 'withdrawn'
    end as missing_reason
from {{ ref('int_closes_expected') }} as expected
inner join {{ ref('int_events_concluded') }} as concluded on expected.event_id = concluded.event_id
left join {{ ref('int_quotes_closed') }} as closed
    on
        expected.event_id = closed.event_id
        and expected.market_id = closed.market_id
        and expected.outcome_id = closed.outcome_id
        and expected.book_id = closed.book_id
