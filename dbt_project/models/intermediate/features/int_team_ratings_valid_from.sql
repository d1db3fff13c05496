{{
    config(
        materialized='incremental',
        incremental_strategy='truncate_insert',
        indexes=[{'columns': ['sport_id', 'team', 'known_at']}, {'columns': ['sport_id', 'known_at']}],
        post_hook='{{ analyze_if_grown() }}'
    )
}}

select
    events.sport_id,
    case ratings.outcome_id when {{ outcome_id('home') }} then events.home_team else events.away_team end as team,
    ratings.known_at,
    ratings.step,
    ratings.event_id,
    ratings.outcome_id,
    ratings.games,
    ratings.elo,
    ratings.form,
    ratings.home_bias,
    events.original_commence_at as played_at
from {{ ref('stg_pricing__team_ratings') }} as ratings
inner join {{ ref('stg_edge__events') }} as events on ratings.event_id = events.event_id
