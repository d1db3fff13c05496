select
    id as outcome_id,
    name as outcome,
    description
from {{ source('edge', 'outcomes') }}
