{{
    config(
        materialized='incremental',
        unique_key='event_id',
        incremental_strategy='delete+insert',
        indexes=[{'columns': ['event_id']}, {'columns': ['version']}],
        on_schema_change='fail'
    )
}}

with changed as (

    select
        decisions.event_id
    from {{ ref('stg_pricing__decisions') }} as decisions
    inner join {{ ref('int_events_concluded') }} as concluded on decisions.event_id = concluded.event_id
    where decisions.moment_id = {{ moment_id('close') }}
    {% if is_incremental() %}
        -- priced since, or what became of the event is known since
        and not exists (
            select from {{ this }} as known
            where
                known.event_id = decisions.event_id
                and known.version = decisions.version
                and known.event_status = concluded.event_status
        )
    {% endif %}

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
    coalesce(refs.reference, case when closes.is_watched and lines.fair_probability is not null then 'consensus' end) as reference,
    coalesce(refs.reference_probability, case when closes.is_watched then lines.fair_probability end)
        as fair_closing_probability,
    lines.fair_probability as consensus_probability,
    lines.books as consensus_books,
    closes.version
from {{ ref('int_closes_matched') }} as closes
inner join changed on closes.event_id = changed.event_id
inner join {{ ref('int_events_timed') }} as events on closes.event_id = events.event_id
inner join {{ ref('stg_edge__markets') }} as markets on closes.market_id = markets.market_id
inner join {{ ref('stg_edge__outcomes') }} as outcomes on closes.outcome_id = outcomes.outcome_id
inner join {{ ref('stg_edge__books') }} as books on closes.book_id = books.book_id
left join {{ ref('stg_pricing__lines') }} as lines
    on
        lines.moment_id = {{ moment_id('close') }}
        and closes.event_id = lines.event_id
        and closes.market_id = lines.market_id
        and closes.line_point = lines.line_point
        and closes.outcome_id = lines.outcome_id
left join {{ ref('int_references_chosen') }} as refs
    on
        closes.event_id = refs.event_id
        and closes.market_id = refs.market_id
        and closes.line_point = refs.line_point
        and closes.outcome_id = refs.outcome_id
