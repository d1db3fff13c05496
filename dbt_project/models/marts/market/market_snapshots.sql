{{
    config(
        materialized='incremental',
        indexes=[{'columns': ['event_id', 'decision_point']}, {'columns': ['version']}],
        pre_hook=['{{ delete_repriced_rows() }}', '{{ force_hash_joins() }}'],
        post_hook='{{ analyze_if_grown() }}'
    )
}}

with changed as materialized (

    select fingerprints.*
    from {{ ref('int_decisions_with_pricing_version') }} as fingerprints
    {% if is_incremental() %}
        where fingerprints.version > {{ stored_version() }}
    {% endif %}

),

quotes as materialized (

    select
        quotes.*,
        changed.decision_point,
        changed.decided_at,
        changed.version
    from {{ ref('int_quotes_as_of') }} as quotes
    inner join changed on quotes.event_id = changed.event_id and quotes.decision_point_id = changed.decision_point_id

)

select
    quotes.event_id,
    events.sport,
    events.season,
    quotes.decision_point,
    quotes.decided_at,
    markets.market,
    outcomes.outcome,
    {{ selection_point('quotes') }} as point,
    quotes.line_point,
    books.book,
    quotes.price_decimal,
    quotes.observed_at as changed_at,
    quotes.poll_id,
    priced.confirmed_at,
    extract(epoch from quotes.decided_at - priced.confirmed_at)::double precision as age_seconds,
    priced.book_probability,
    lines.fair_probability,
    lines.books as consensus_books,
    quotes.version
from quotes
inner join {{ ref('stg_pricing__quotes') }} as priced
    on
        quotes.event_id = priced.event_id
        and quotes.decision_point_id = priced.decision_point_id
        and quotes.market_id = priced.market_id
        and quotes.line_point = priced.line_point
        and quotes.outcome_id = priced.outcome_id
        and quotes.book_id = priced.book_id
inner join {{ ref('stg_pricing__lines') }} as lines
    on
        quotes.event_id = lines.event_id
        and quotes.decision_point_id = lines.decision_point_id
        and quotes.market_id = lines.market_id
        and quotes.line_point = lines.line_point
        and quotes.outcome_id = lines.outcome_id
inner join {{ ref('int_events_with_season') }} as events on quotes.event_id = events.event_id
inner join {{ ref('stg_edge__markets') }} as markets on quotes.market_id = markets.market_id
inner join {{ ref('stg_edge__outcomes') }} as outcomes on quotes.outcome_id = outcomes.outcome_id
inner join {{ ref('stg_edge__books') }} as books on quotes.book_id = books.book_id
