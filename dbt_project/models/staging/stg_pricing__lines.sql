select
    event_id,
    decision_point_id,
    market_id,
    line_point,
    outcome_id,
    books,
    fair_probability
from {{ source('pricing', 'priced_lines') }}
