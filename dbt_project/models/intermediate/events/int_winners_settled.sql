-- The winner of the match result as currently known. Settled by the rules that all books share; there is no winner if
-- sources contradict each other, the score that counts is not stated or nobody won (see `stg_pricing__settlements`).
select
    event_id,
    market,
    winner
from {{ ref('stg_pricing__settlements') }}
where superseded_at is null and winner is not null
