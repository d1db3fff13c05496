select
    sport_id,
    day,
    version
from {{ source('pricing', 'watched_days') }}
