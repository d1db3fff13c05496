{{ config(materialized='incremental', incremental_strategy='truncate_insert', post_hook='{{ analyzed() }}') }}

-- The polls that have not been priced yet; all of them in a full refresh. Pricing marks them, in the transaction
-- that stores its result, so a build that breaks off is repeated by the next.
select
    polls.poll_id,
    polls.sport_id,
    polls.observed_at
from {{ ref('stg_edge__polls') }} as polls
{% if not flags.FULL_REFRESH %}
    where not exists (
        select from {{ source('pricing', 'priced_polls') }} as priced
        where priced.poll_id = polls.poll_id
    )
{% endif %}
