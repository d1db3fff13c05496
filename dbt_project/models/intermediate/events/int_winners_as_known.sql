-- The outcome that was considered the winner of the match result, with the time range in which it was: a result that is
-- contradicted or decided later counts as it was known until then.
select
    event_id,
    market,
    known_at,
    superseded_at,
    winner
from {{ ref('stg_pricing__settlements') }}
where winner is not null
