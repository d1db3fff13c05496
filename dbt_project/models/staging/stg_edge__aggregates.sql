select
    event_id,
    market_id,
    outcome_id,
    point,
    kind,
    price as price_decimal,
    observed_at,
    poll_id
from {{ source('edge', 'aggregate_ticks') }}
