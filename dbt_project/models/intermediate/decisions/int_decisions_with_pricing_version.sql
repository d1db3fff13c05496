-- Priced decisions, with the version of their pricing.
with decision_points (decision_point_id, decision_point, seconds_before) as (

    values {{ decision_point_rows() }}

)

select
    decisions.event_id,
    decisions.decision_point_id,
    decision_points.decision_point,
    decisions.decided_at,
    decisions.version
from {{ ref('stg_pricing__decisions') }} as decisions
inner join decision_points on decisions.decision_point_id = decision_points.decision_point_id
