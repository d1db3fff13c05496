{{ config(materialized='table') }}

with moves as (

    select
        moves.*,
        followed.books_before,
        followed.books_following,
        followed.leader_id,
        extract(epoch from moves.moved_at - followed.led_at)::double precision as lag_seconds,
        -- how many points there will be has no even line; a move of it is taken around evens
        case when moves.market_id <> 4 then 1 / (1 + exp(-moves.position_before)) end as probability_before,
        case when moves.market_id <> 4 then 1 / (1 + exp(-moves.position_after)) end as probability_after,
        case
            when moves.market_id = 4 then 1 / (1 + exp(-abs(moves.size_log_odds))) - 0.5
            else abs(1 / (1 + exp(-moves.position_after)) - 1 / (1 + exp(-moves.position_before)))
        end as size_probability,
        case
            when moves.market_id = 4 then case when moves.direction > 0 then 4 else 5 end
            when moves.direction > 0 then 1
            else 2
        end as towards_id,
        steams.begun_at is not null as is_steam
    from {{ ref('stg_pricing__book_moves') }} as moves
    left join lateral (
        select min(steams.moved_at) as begun_at
        from {{ ref('stg_pricing__movements') }} as steams
        where
            steams.event_id = moves.event_id
            and steams.market_id = moves.market_id
            and steams.direction = moves.direction
            and steams.kind = 'steam'
            and steams.moved_at >= moves.moved_at
            and steams.moved_at <= moves.moved_at + make_interval(secs => greatest(60, moves.since_look_seconds))
    ) as steams on true
    left join {{ ref('int_moves_followed') }} as followed
        on
            moves.event_id = followed.event_id
            and moves.market_id = followed.market_id
            and moves.book_id = followed.book_id
            and moves.moved_at = followed.moved_at

),

crowd as (

    select distinct on (event_id, market_id, outcome_id)
        event_id,
        market_id,
        outcome_id,
        bets_share
    from {{ ref('stg_edge__public_bets') }}
    order by event_id asc, market_id asc, outcome_id asc, observed_at desc

)

select
    moves.event_id,
    events.sport,
    events.season,
    markets.market,
    books.book,
    moves.moved_at,
    outcomes.outcome as towards,
    moves.probability_before,
    moves.probability_after,
    moves.size_probability,
    abs(moves.size_log_odds) as size_log_odds,
    moves.since_look_seconds,
    3600 * moves.size_probability / moves.since_look_seconds as speed_probability_per_hour,
    moves.books_before,
    moves.books_following,
    leaders.book as leader,
    moves.lag_seconds,
    moves.is_steam,
    leaders.reference_rank is not null as is_sharp_first,
    crowd.bets_share as public_share,
    crowd.bets_share < 0.5 as is_against_public
from moves
inner join {{ ref('int_events_timed') }} as events on moves.event_id = events.event_id
inner join {{ ref('stg_edge__markets') }} as markets on moves.market_id = markets.market_id
inner join {{ ref('stg_edge__outcomes') }} as outcomes on moves.towards_id = outcomes.outcome_id
inner join {{ ref('stg_edge__books') }} as books on moves.book_id = books.book_id
left join {{ ref('stg_edge__books') }} as leaders on moves.leader_id = leaders.book_id
left join crowd
    on
        moves.event_id = crowd.event_id
        and moves.market_id = crowd.market_id
        and moves.towards_id = crowd.outcome_id
