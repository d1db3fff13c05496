{{
    config(
        materialized='table',
        indexes=[{'columns': ['event_id', 'market_id', 'moved_at']}],
        post_hook='{{ analyzed() }}'
    )
}}

-- Moves too large to be rounding, and how far around them others count as the same: what happened between the same
-- two looks, or the next, cannot be told apart.
select
    *,
    make_interval(secs => greatest({{ var('lead_seconds') }}, 1.5 * since_look_seconds)) as lead_window
from {{ ref('stg_pricing__book_moves') }}
where abs(size_log_odds) >= {{ var('large_move_log_odds') }}
