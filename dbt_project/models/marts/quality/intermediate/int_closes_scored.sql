-- The closing prices of the match result scored against the winner: minus the log of its probability.
select
    closes.event_id,
    closes.sport,
    closes.season,
    closes.market,
    closes.book,
    -ln(closes.book_probability) as log_loss,
    -ln(closes.consensus_probability) as consensus_log_loss
from {{ ref('closing_lines') }} as closes
inner join {{ ref('int_winners_settled') }} as winners
    on closes.event_id = winners.event_id and closes.market = winners.market and closes.outcome = winners.winner
where closes.missing_reason is null and closes.book_probability is not null
