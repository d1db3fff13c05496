-- What a close depends on: the version of its pricing, and the status of the event.
select
    decisions.event_id,
    decisions.version,
    statuses.event_status
from {{ ref('stg_pricing__decisions') }} as decisions
inner join {{ ref('int_events_with_status') }} as statuses on decisions.event_id = statuses.event_id
where decisions.decision_point_id = {{ decision_point_id('close') }}
