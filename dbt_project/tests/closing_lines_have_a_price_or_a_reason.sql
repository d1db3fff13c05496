select
    event_id,
    market,
    outcome,
    point,
    book
from {{ ref('closing_lines') }}
where (closing_price_decimal is null) = (missing_reason is null)
