select
    event_id,
    market_id,
    outcome_id,
    source as public_source,
    bets_share,
    observed_at
from {{ source('edge', 'public_bets') }}
