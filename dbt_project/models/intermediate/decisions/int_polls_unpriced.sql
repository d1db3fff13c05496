{{ config(materialized='incremental', incremental_strategy='truncate_insert', post_hook='{{ analyze_if_grown() }}') }}

-- The polls that have not been priced yet; all of them in a full refresh. Pricing marks them, in the transaction
-- that stores its result, so a build that breaks off is repeated by the next. Polls that are held out are among them:
-- what was built of them has to go. Polls of a feed that is blocked wait.
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
