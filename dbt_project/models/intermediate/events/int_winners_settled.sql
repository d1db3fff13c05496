-- Which outcome of the match result won, by what is known now. The warehouse settles it by the books' rules, and not
-- where sources contradict each other, the score that counts is not stated or nobody won: `stg_pricing__settlements`
-- tells why.
select
    event_id,
    market,
    winner
from {{ ref('stg_pricing__settlements') }}
where superseded_at is null and winner is not null
