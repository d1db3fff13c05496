-- Who made the same large move before and after, clones counted with what they copy.
select
    moves.event_id,
    moves.market_id,
    moves.book_id,
    moves.moved_at,
    around.books_before,
    around.books_following,
    -- nobody leads where two moved between the same looks
    case
        when around.times[2] = around.times[1] and around.origins[2] <> around.origins[1] then null
        else around.books[1]
    end as leader_id,
    around.times[1] as led_at
from {{ ref('int_moves_ordered') }} as moves
cross join lateral (
    select
        count(distinct others.origin_id) filter (
            where others.moved_at < moves.moved_at and others.origin_id <> moves.origin_id
        ) as books_before,
        count(distinct others.origin_id) filter (
            where others.moved_at > moves.moved_at and others.origin_id <> moves.origin_id
        ) as books_following,
        array_agg(others.book_id order by others.moved_at, others.book_id) as books,
        array_agg(others.origin_id order by others.moved_at, others.book_id) as origins,
        array_agg(others.moved_at order by others.moved_at, others.book_id) as times
    from {{ ref('int_moves_ordered') }} as others
    where
        others.event_id = moves.event_id
        and others.market_id = moves.market_id
        and others.direction = moves.direction
        and others.moved_at between moves.moved_at - moves.lead_window and moves.moved_at + moves.lead_window
) as around
