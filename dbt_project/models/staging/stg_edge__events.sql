select
    events.id as event_id,
    events.key as event,
    events.sport_id,
    sports.key as sport,
    events.home_team,
    events.away_team,
    events.commence_at,
    events.original_commence_at,
    events.first_seen_at
from {{ source('edge', 'events') }} as events
inner join {{ source('edge', 'sports') }} as sports on events.sport_id = sports.id
