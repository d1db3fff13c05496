-- What a close depends on: the number of its pricing, and what became of the event.
select
    decisions.event_id,
    decisions.version,
    concluded.event_status
from {{ ref('stg_pricing__decisions') }} as decisions
inner join {{ ref('int_events_with_status') }} as concluded on decisions.event_id = concluded.event_id
where decisions.decision_point_id = {{ decision_point_id('close') }}
