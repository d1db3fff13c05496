{# two models are read: Dagster shows the test as a check of this one #}
{{ config(meta={"dagster": {"ref": {"name": "market_snapshots"}}}) }}

select snapshots.event_id
from {{ ref('market_snapshots') }} as snapshots
left join {{ ref('int_decisions_with_pricing_version') }} as fingerprints
    on snapshots.event_id = fingerprints.event_id and snapshots.decision_point = fingerprints.decision_point
where snapshots.version is distinct from fingerprints.version
