{{
    config(
        materialized='incremental',
        pre_hook=['{{ force_hash_joins() }}', '{{ delete_due_rows() }}'],
        post_hook='{{ analyze_if_grown() }}',
        indexes=[{'columns': ['event_id', 'decision_point_id']}]
    )
}}

with due as (

    select
        event_id,
        decision_point_id,
        decided_at
    from {{ ref('int_decisions_due') }}

),

versions as (

    select
        *,
        lead(observed_at) over (
            partition by event_id, book_id, market_id, outcome_id, point order by observed_at, poll_id
        ) as superseded_at
    from {{ ref('stg_edge__ticks') }}
    where
        market_id in ({{ valued_markets() }})
        and event_id in (select due.event_id from due)

)

select
    versions.event_id,
    due.decision_point_id,
    versions.market_id,
    {{ line_point('versions') }} as line_point,
    versions.outcome_id,
    versions.book_id,
    versions.price_decimal,
    versions.observed_at,
    versions.poll_id
from versions
inner join due
    on
        versions.event_id = due.event_id
        and versions.observed_at <= due.decided_at
        and coalesce(versions.superseded_at, 'infinity') > due.decided_at
where not versions.is_withdrawn
