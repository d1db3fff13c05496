select
    event_id,
    observed_at,
    commence_at,
    lead(observed_at) over (partition by event_id order by observed_at) as superseded_at
from {{ source('edge', 'event_starts') }}
