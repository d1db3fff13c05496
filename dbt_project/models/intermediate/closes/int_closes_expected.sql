-- A book is expected to close every market that it has priced before the start of any game of the season, from the
-- first such game on. Later seasons, books and games therefore do not change earlier expectations.
with debuts as (

    select
        events.sport_id,
        events.season,
        offers.market_id,
        offers.book_id,
        min(events.closes_at) as debuted_at
    from {{ ref('int_selections_offered') }} as offers
    inner join {{ ref('int_events_with_season') }} as events on offers.event_id = events.event_id
    where offers.is_offered_before_start
    group by events.sport_id, events.season, offers.market_id, offers.book_id

),

selections (market_id, outcome_id) as (

    values
    ({{ market_id('h2h') }}, {{ outcome_id('home') }}),
    ({{ market_id('h2h') }}, {{ outcome_id('away') }}),
    ({{ market_id('h2h_3_way') }}, {{ outcome_id('home') }}),
    ({{ market_id('h2h_3_way') }}, {{ outcome_id('away') }}),
    ({{ market_id('h2h_3_way') }}, {{ outcome_id('draw') }}),
    ({{ market_id('spreads') }}, {{ outcome_id('home') }}),
    ({{ market_id('spreads') }}, {{ outcome_id('away') }}),
    ({{ market_id('totals') }}, {{ outcome_id('over') }}),
    ({{ market_id('totals') }}, {{ outcome_id('under') }})

)

select
    events.event_id,
    selections.market_id::smallint as market_id,
    selections.outcome_id,
    debuts.book_id,
    offers.is_offered_before_start,
    decisions.version,
    coalesce(
        decisions.polled_at >= events.closes_at - make_interval(secs => {{ var('max_poll_age_seconds') }}), false
    ) as is_polled
from {{ ref('stg_pricing__decisions') }} as decisions
inner join {{ ref('int_events_with_season') }} as events on decisions.event_id = events.event_id
inner join debuts
    on
        events.sport_id = debuts.sport_id
        and events.season = debuts.season
        and events.closes_at >= debuts.debuted_at
inner join selections on debuts.market_id = selections.market_id
left join {{ ref('int_selections_offered') }} as offers
    on
        decisions.event_id = offers.event_id
        and selections.market_id = offers.market_id
        and selections.outcome_id = offers.outcome_id
        and debuts.book_id = offers.book_id
where decisions.decision_point_id = {{ decision_point_id('close') }}
