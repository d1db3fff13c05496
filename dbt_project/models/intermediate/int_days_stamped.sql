-- What the moves of a sport's day depend on: the number of the watch that found them, or of the next day's, whose first
-- moves may follow this day's last.
select
    days.sport_id,
    days.day,
    greatest(days.version, following.version) as version
from {{ ref('stg_pricing__watched_days') }} as days
left join {{ ref('stg_pricing__watched_days') }} as following
    on days.sport_id = following.sport_id and days.day + 1 = following.day
