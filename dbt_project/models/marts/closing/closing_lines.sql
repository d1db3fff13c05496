{{
    config(
        materialized='incremental',
        indexes=[{'columns': ['event_id']}, {'columns': ['sport', 'season']}],
        pre_hook=['{{ delete_changed_closes() }}', '{{ force_hash_joins() }}'],
        post_hook='{{ analyze_if_grown() }}'
    )
}}

with changed as materialized (

    {{ closes_changed() }}

),

expected as materialized (

    select expected.*
    from {{ ref('int_closes_expected') }} as expected
    inner join changed on expected.event_id = changed.event_id

),

closed as materialized (

    select closed.*
    from {{ ref('int_closing_quotes_selected') }} as closed
    inner join changed on closed.event_id = changed.event_id

),

-- the first of var('reference_books') with a close of the whole line that counts
reference_closes as (

    select distinct on (closed.event_id, closed.market_id, closed.line_point, closed.outcome_id)
        closed.*,
        books.book
    from closed
    inner join {{ ref('stg_edge__books') }} as books on closed.book_id = books.book_id
    where books.reference_rank is not null and closed.book_probability is not null and closed.staleness <> 'stale'
    order by closed.event_id, closed.market_id, closed.line_point, closed.outcome_id, books.reference_rank

),

with_reasons as (

    select
        expected.event_id,
        expected.market_id,
        expected.outcome_id,
        expected.book_id,
        closed.line_point,
        closed.price_decimal,
        closed.observed_at,
        closed.confirmed_at,
        closed.age_seconds,
        closed.staleness,
        closed.book_probability,
        reference_closes.book as reference,
        reference_closes.book_probability as reference_probability,
        lines.books as consensus_books,
        lines.fair_probability as consensus_probability,
        changed.version,
        changed.event_status,
        expected.is_polled and changed.event_status <> 'phantom' as is_consensus_a_close,
        case
            when changed.event_status = 'phantom' then 'phantom_event'
            when closed.staleness <> 'stale' then null
            when not expected.is_polled then 'not_polled'
            when closed.staleness = 'stale' then 'stale'
            when expected.is_offered_before_start is null then 'never_quoted'
            when not expected.is_offered_before_start then 'only_in_play'
            else 'withdrawn'
        end as missing_reason
    from expected
    inner join changed on expected.event_id = changed.event_id
    left join closed
        on
            expected.event_id = closed.event_id
            and expected.market_id = closed.market_id
            and expected.outcome_id = closed.outcome_id
            and expected.book_id = closed.book_id
    left join reference_closes
        on
            closed.event_id = reference_closes.event_id
            and closed.market_id = reference_closes.market_id
            and closed.line_point = reference_closes.line_point
            and closed.outcome_id = reference_closes.outcome_id
    left join {{ ref('stg_pricing__lines') }} as lines
        on
            lines.decision_point_id = {{ decision_point_id('close') }}
            and closed.event_id = lines.event_id
            and closed.market_id = lines.market_id
            and closed.line_point = lines.line_point
            and closed.outcome_id = lines.outcome_id

)

select
    closes.event_id,
    events.sport,
    events.season,
    events.closes_at,
    closes.event_status,
    markets.market,
    outcomes.outcome,
    {{ selection_point('closes') }} as point,
    books.book,
    case when closes.missing_reason is null then closes.price_decimal end as closing_price_decimal,
    closes.missing_reason,
    closes.price_decimal as last_price_decimal,
    closes.observed_at as last_changed_at,
    closes.confirmed_at,
    closes.age_seconds,
    closes.staleness,
    closes.book_probability,
    case
        when not closes.is_consensus_a_close then null
        when closes.reference is not null then closes.reference
        when closes.consensus_probability is not null then 'consensus'
    end as reference,
    case
        when closes.is_consensus_a_close then coalesce(closes.reference_probability, closes.consensus_probability)
    end as fair_closing_probability,
    closes.consensus_probability,
    closes.consensus_books,
    closes.version
from with_reasons as closes
inner join {{ ref('int_events_with_season') }} as events on closes.event_id = events.event_id
inner join {{ ref('stg_edge__markets') }} as markets on closes.market_id = markets.market_id
inner join {{ ref('stg_edge__outcomes') }} as outcomes on closes.outcome_id = outcomes.outcome_id
inner join {{ ref('stg_edge__books') }} as books on closes.book_id = books.book_id
