{{ config(materialized='incremental', incremental_strategy='truncate_insert', post_hook='{{ analyze_if_grown() }}') }}

-- The polls that have not been priced yet; all polls in a full refresh. Pricing marks them in the transaction that
-- stores its result, so that the next build repeats an interrupted one. Held-out polls are included, because what was
-- built from them must go. Polls of a blocked feed wait.
select
    polls.id as poll_id,
    polls.sport_id,
    polls.observed_at
from {{ source('edge', 'polls') }} as polls
where
    not exists (
        select from {{ source('edge', 'blocked_feeds') }} as blocked
        where blocked.sport_id = polls.sport_id and coalesce(blocked.feed = polls.feed, true)
    )
    {% if not flags.FULL_REFRESH %}
        and not exists (
            select from {{ source('pricing', 'priced_polls') }} as priced
            where priced.poll_id = polls.id
        )
    {% endif %}
