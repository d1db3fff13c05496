select
    event_id,
    decision_point_id,
    decided_at,
    polled_at,
    version
from {{ source('pricing', 'priced_decisions') }}
