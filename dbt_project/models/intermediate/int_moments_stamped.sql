-- What has been decided at which moment, by which pricing.
with moments (moment_id, moment, seconds_before) as (

    values {{ moment_rows() }}

)

select
    decisions.event_id,
    decisions.moment_id,
    moments.moment,
    decisions.decided_at,
    decisions.version
from {{ ref('stg_pricing__decisions') }} as decisions
inner join moments on decisions.moment_id = moments.moment_id
