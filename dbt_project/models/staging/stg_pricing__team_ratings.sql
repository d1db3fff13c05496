select
    event_id,
    outcome_id,
    known_at,
    step,
    games,
    elo,
    form,
    home_bias
from {{ source('pricing', 'team_ratings') }}
