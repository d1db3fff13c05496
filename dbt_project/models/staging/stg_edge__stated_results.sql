select
    event_id,
    period,
    status,
    home_score,
    away_score,
    source as result_source,
    observed_at as known_at
from {{ source('edge', 'results') }}
union all
select
    event_id,
    period,
    status,
    home_score,
    away_score,
    'decision' as result_source,
    decided_at as known_at
from {{ source('edge', 'result_decisions') }}
