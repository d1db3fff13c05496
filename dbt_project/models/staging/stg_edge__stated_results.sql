select
    event_id,
    period,
    status,
    home_score,
    away_score,
    source as result_source,
    observed_at as known_at
from {{ source('edge', 'results') }}
