{{
    config(
        materialized='incremental',
        indexes=[{'columns': ['event_id', 'decision_point']}, {'columns': ['version']}],
        pre_hook='{{ delete_repriced_rows() }}',
        post_hook='{{ analyze_if_grown() }}'
    )
}}

-- A book's margin on a line at a decision point: its booksum less one. The sum is numeric, because the last bit of a
-- sum of floats depends on the order of rows.
select
    event_id,
    decision_point,
    decided_at,
    version,
    market,
    line_point,
    book,
    (sum((1 / price_decimal)::numeric) - 1)::double precision as margin,
    max(age_seconds) as age_seconds
from {{ ref('market_snapshots') }}
where
    book_probability is not null
    {% if is_incremental() %}
        and version > {{ stored_version() }}
    {% endif %}
group by event_id, decision_point, decided_at, version, market, line_point, book
