{{
    config(
        materialized='incremental',
        pre_hook=['{{ force_hash_joins() }}', '{{ delete_due_rows() }}'],
        post_hook='{{ analyze_if_grown() }}',
        indexes=[{'columns': ['event_id']}]
    )
}}

-- Whether each book offered a selection of a closed event at any point before the start, or only in play.
select
    due.event_id,
    due.decision_point_id,
    ticks.market_id,
    ticks.outcome_id,
    ticks.book_id,
    min(ticks.observed_at) <= due.decided_at as is_offered_before_start
from {{ ref('int_decisions_due') }} as due
inner join {{ ref('stg_edge__ticks') }} as ticks on due.event_id = ticks.event_id
where
    due.decision_point_id = {{ decision_point_id('close') }}
    and not ticks.is_withdrawn
    and ticks.market_id in ({{ valued_markets() }})
group by due.event_id, due.decision_point_id, due.decided_at, ticks.market_id, ticks.outcome_id, ticks.book_id
