-- left joins, which the planner removes if only ids are selected
select
    ticks.observed_at,
    ticks.book_time,
    ticks.poll_id,
    ticks.event_id,
    ticks.book_id,
    ticks.market_id,
    ticks.outcome_id,
    books.key as book,
    markets.key as market,
    outcomes.name as outcome,
    outcomes.description,
    ticks.point,
    ticks.price as price_decimal,
    ticks.price is null as is_withdrawn
from {{ source('edge', 'odds_ticks') }} as ticks
left join {{ source('edge', 'books') }} as books on ticks.book_id = books.id
left join {{ source('edge', 'markets') }} as markets on ticks.market_id = markets.id
left join {{ source('edge', 'outcomes') }} as outcomes on ticks.outcome_id = outcomes.id
