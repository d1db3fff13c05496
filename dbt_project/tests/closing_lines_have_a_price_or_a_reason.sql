select
    event_id,
    market,
    outcome,
    point,
    book
from {{ ref('closing_lines') }}
group by event_id, market, outcome, point, book
having count(*) > 1 or count(closing_price_decimal) + count(missing_reason) <> 1
