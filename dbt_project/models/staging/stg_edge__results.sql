select
    event_id,
    period,
    status,
    home_score,
    away_score,
    source as result_source,
    observed_at as known_at,
    contradicted as is_contradicted
from {{ source('edge', 'event_results') }}
