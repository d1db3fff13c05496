{{
    config(
        materialized='incremental',
        indexes=[{'columns': ['event_id', 'decision_point']}, {'columns': ['version']}],
        pre_hook='{{ delete_repriced_rows() }}',
        post_hook='{{ analyze_if_grown() }}'
    )
}}

with changed as materialized (

    select
        fingerprints.*,
        events.sport_id,
        events.sport,
        events.season,
        events.home_team,
        events.away_team,
        events.original_commence_at
    from {{ ref('int_decisions_with_pricing_version') }} as fingerprints
    inner join {{ ref('int_events_with_season') }} as events on fingerprints.event_id = events.event_id
    inner join {{ ref('int_events_with_status') }} as statuses on fingerprints.event_id = statuses.event_id
    where
        events.home_team is not null
        and statuses.event_status <> 'withdrawn'
        {% if is_incremental() %}
            and fingerprints.version > {{ stored_version() }}
        {% endif %}

)

select
    changed.event_id,
    changed.sport,
    changed.season,
    changed.decision_point,
    changed.decided_at,
    coalesce(home.elo, 1500) as home_elo,
    coalesce(away.elo, 1500) as away_elo,
    coalesce(home.games, 0) as home_games,
    coalesce(away.games, 0) as away_games,
    home.form as home_form,
    away.form as away_form,
    extract(epoch from changed.original_commence_at - home.played_at)::double precision / 86400 as home_rest_days,
    extract(epoch from changed.original_commence_at - away.played_at)::double precision / 86400 as away_rest_days,
    coalesce(league.home_bias, 0) as home_bias,
    quoting.books_on_offer,
    quoting.mean_margin,
    quoting.least_margin,
    quoting.sharp_books_on_offer,
    quoting.mean_sharpness,
    quoting.greatest_sharpness,
    changed.version
from changed
left join lateral (
    select ratings.*
    from {{ ref('int_team_ratings_valid_from') }} as ratings
    where
        ratings.sport_id = changed.sport_id
        and ratings.team = changed.home_team
        and ratings.known_at <= changed.decided_at
        and ratings.event_id <> changed.event_id
    order by ratings.known_at desc, ratings.step desc
    limit 1
) as home on true
left join lateral (
    select ratings.*
    from {{ ref('int_team_ratings_valid_from') }} as ratings
    where
        ratings.sport_id = changed.sport_id
        and ratings.team = changed.away_team
        and ratings.known_at <= changed.decided_at
        and ratings.event_id <> changed.event_id
    order by ratings.known_at desc, ratings.step desc
    limit 1
) as away on true
left join lateral (
    select ratings.home_bias
    from {{ ref('int_team_ratings_valid_from') }} as ratings
    where ratings.sport_id = changed.sport_id and ratings.known_at <= changed.decided_at
    order by ratings.known_at desc, ratings.step desc
    limit 1
) as league on true
left join {{ ref('int_match_result_books_counted') }} as quoting
    on changed.event_id = quoting.event_id and changed.decision_point = quoting.decision_point
