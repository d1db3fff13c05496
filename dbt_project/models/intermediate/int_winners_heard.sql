-- Which outcome of the match result won by the first word on it: a later correction would rewrite what was known.
-- Three-way prices are for regulation time, two-way prices for the end.
with heard as (

    select distinct on (results.event_id, markets.market)
        results.event_id,
        markets.market,
        results.known_at,
        sign(results.home_score - results.away_score)::integer as side
    from {{ ref('stg_edge__stated_results') }} as results
    cross join (values ('h2h', 'regulation'), ('h2h_3_way', 'full')) as markets (market, second_choice)
    where results.status = 'final'
    order by
        results.event_id, markets.market, results.known_at, results.period = markets.second_choice, results.period,
        results.result_source, results.home_score, results.away_score

)

select
    event_id,
    market,
    known_at,
    (array['away', 'draw', 'home'])[side + 2] as winner
from heard
where market = 'h2h_3_way' or side <> 0
