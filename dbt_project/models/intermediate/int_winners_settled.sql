-- Which outcome of the match result won. Three-way prices are for regulation time, two-way prices for the end.
with preferred as (

    select distinct on (results.event_id, markets.market)
        results.event_id,
        markets.market,
        sign(results.home_score - results.away_score) as side
    from {{ ref('stg_edge__results') }} as results
    cross join (values ('h2h', 'regulation'), ('h2h_3_way', 'full')) as markets (market, second_choice)
    where results.status = 'final'
    order by results.event_id, markets.market, results.period = markets.second_choice, results.period
)

select
    event_id,
    market,
    (array['away', 'draw', 'home'])[side::integer + 2] as winner
from preferred
where market = 'h2h_3_way' or side <> 0
