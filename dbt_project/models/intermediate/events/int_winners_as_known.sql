-- Which outcome of the match result was taken to have won, from when on and until when: a result that is
-- contradicted or decided later counts as it was known until then.
select
    event_id,
    market,
    known_at,
    superseded_at,
    winner
from {{ ref('stg_pricing__settlements') }}
where winner is not null
