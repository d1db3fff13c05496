select
    event_id,
    market_id,
    book_id,
    moved_at,
    position_before,
    position_after,
    position_after - position_before as size_log_odds,
    seconds_since_last_poll,
    books_before,
    books_after as books_following,
    leader_id,
    lag as lag_seconds,
    in_steam as is_steam
from {{ source('pricing', 'book_moves') }}
