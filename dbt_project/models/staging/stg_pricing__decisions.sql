select
    event_id,
    moment_id,
    decided_at,
    polled_at,
    version
from {{ source('pricing', 'priced_decisions') }}
