select
    moves.event_id,
    moves.market_id,
    moves.book_id,
    coalesce(clones.origin_id, moves.book_id) as origin_id,
    moves.moved_at,
    moves.position_before,
    moves.position_after,
    moves.position_after - moves.position_before as size_log_odds,
    sign(moves.position_after - moves.position_before)::smallint as direction,
    moves.since_look as since_look_seconds
from {{ source('pricing', 'book_moves') }} as moves
left join {{ source('pricing', 'clones') }} as clones on moves.book_id = clones.book_id
