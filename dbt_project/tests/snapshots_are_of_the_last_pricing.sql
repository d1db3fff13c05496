select snapshots.event_id
from {{ ref('market_snapshots') }} as snapshots
left join {{ ref('int_moments_stamped') }} as stamps
    on snapshots.event_id = stamps.event_id and snapshots.moment = stamps.moment
where snapshots.version is distinct from stamps.version
