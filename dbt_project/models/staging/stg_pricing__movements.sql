select
    event_id,
    market_id,
    moved_at,
    (array['steam', 'drift', 'reversal'])[kind] as kind,
    direction,
    size as size_log_odds
from {{ source('pricing', 'movements') }}
