select
    sport,
    day
from {{ ref('poll_health') }}
group by sport, day
having count(*) > 1
