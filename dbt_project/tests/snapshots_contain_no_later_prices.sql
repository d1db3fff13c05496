select *
from {{ ref('market_snapshots') }}
where changed_at > decided_at
