-- The reference for a closing price: the first of var('reference_books') that closed the whole line in time.
select distinct on (closed.event_id, closed.market_id, closed.line_point, closed.outcome_id)
    closed.event_id,
    closed.market_id,
    closed.line_point,
    closed.outcome_id,
    books.book as reference,
    closed.book_probability as reference_probability
from {{ ref('int_quotes_closed') }} as closed
inner join {{ ref('stg_edge__books') }} as books on closed.book_id = books.book_id
where books.reference_rank is not null and closed.book_probability is not null and closed.staleness <> 'stale'
order by closed.event_id, closed.market_id, closed.line_point, closed.outcome_id, books.reference_rank
