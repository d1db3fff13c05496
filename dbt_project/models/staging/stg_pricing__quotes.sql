select
    event_id,
    decision_point_id,
    market_id,
    line_point,
    outcome_id,
    book_id,
    confirmed_at,
    book_probability
from {{ source('pricing', 'priced_quotes') }}
