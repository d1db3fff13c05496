{{ config(materialized='view') }}

-- A view, so that names are current. Public bets are those known before the move.
with moves as (

    select
        *,
        -- a total has no even line to convert to; its moves are measured around evens
        case when market_id <> {{ market_id('totals') }} then 1 / (1 + exp(-position_before)) end as probability_before,
        case when market_id <> {{ market_id('totals') }} then 1 / (1 + exp(-position_after)) end as probability_after,
        case
            when market_id = {{ market_id('totals') }} then 1 / (1 + exp(-abs(size_log_odds))) - 0.5
            else abs(1 / (1 + exp(-position_after)) - 1 / (1 + exp(-position_before)))
        end as size_probability,
        case
            when market_id = {{ market_id('totals') }}
                then case when size_log_odds > 0 then {{ outcome_id('over') }} else {{ outcome_id('under') }} end
            when size_log_odds > 0 then {{ outcome_id('home') }}
            else {{ outcome_id('away') }}
        end as towards_id
    from {{ ref('stg_pricing__book_moves') }}

),

public_bets as (

    select
        event_id,
        market_id,
        outcome_id,
        bets_share,
        observed_at as known_at,
        lead(observed_at) over (
            partition by event_id, market_id, outcome_id order by observed_at, public_source
        ) as superseded_at
    from {{ ref('stg_edge__public_bets') }}

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
    moves.seconds_since_last_poll,
    3600 * moves.size_probability / moves.seconds_since_last_poll as speed_probability_per_hour,
    moves.books_before,
    moves.books_following,
    leaders.book as leader,
    moves.lag_seconds,
    moves.is_steam,
    leaders.reference_rank is not null as is_sharp_first,
    public_bets.bets_share as public_share,
    public_bets.bets_share < 0.5 as is_against_public
from moves
inner join {{ ref('int_events_with_season') }} as events on moves.event_id = events.event_id
inner join {{ ref('stg_edge__markets') }} as markets on moves.market_id = markets.market_id
inner join {{ ref('stg_edge__outcomes') }} as outcomes on moves.towards_id = outcomes.outcome_id
inner join {{ ref('stg_edge__books') }} as books on moves.book_id = books.book_id
left join {{ ref('stg_edge__books') }} as leaders on moves.leader_id = leaders.book_id
left join public_bets
    on
        moves.event_id = public_bets.event_id
        and moves.market_id = public_bets.market_id
        and moves.towards_id = public_bets.outcome_id
        and moves.moved_at > public_bets.known_at
        and moves.moved_at <= coalesce(public_bets.superseded_at, 'infinity')
