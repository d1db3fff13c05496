{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        indexes=[{'columns': ['sport_id', 'day']}, {'columns': ['version']}],
        post_hook=[
            "{{ forget_superseded(ref('int_days_stamped'), ['sport_id', 'day'], ['version']) }}",
            '{{ analyzed() }}'
        ],
        on_schema_change='fail'
    )
}}

with changed as materialized (

    select stamps.*
    from {{ ref('int_days_stamped') }} as stamps
    {% if is_incremental() %}
        where stamps.version > coalesce((select max(known.version) from {{ this }} as known), 0)
    {% endif %}

),

-- what happened between the same two looks, or the next, cannot be told apart; a small move may be rounding
moves as materialized (

    select
        moves.*,
        changed.sport_id,
        changed.day,
        changed.version,
        abs(moves.size_log_odds) >= {{ var('large_move_log_odds') }} as is_large,
        make_interval(secs => greatest({{ var('lead_seconds') }}, 1.5 * moves.since_look_seconds)) as lead_window,
        make_interval(secs => greatest(60, moves.since_look_seconds)) as steam_window
    from changed
    inner join {{ ref('stg_pricing__book_moves') }} as moves
        on
            moves.moved_at >= changed.day::timestamp at time zone 'utc'
            and moves.moved_at < (changed.day + 1)::timestamp at time zone 'utc'
    inner join {{ ref('int_events_timed') }} as events
        on moves.event_id = events.event_id and changed.sport_id = events.sport_id

),

-- who made the same large move before and after, clones counted with what they copy
followed as (

    select
        moves.*,
        case when moves.is_large then around.books_before end as books_before,
        case when moves.is_large then around.books_following end as books_following,
        -- nobody leads where two moved between the same looks
        case
            when around.times[2] = around.times[1] and around.origins[2] <> around.origins[1] then null
            else around.books[1]
        end as leader_id,
        around.times[1] as led_at
    from moves
    left join lateral (
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
        from {{ ref('stg_pricing__book_moves') }} as others
        where
            others.event_id = moves.event_id
            and others.market_id = moves.market_id
            and others.direction = moves.direction
            and others.moved_at between moves.moved_at - moves.lead_window and moves.moved_at + moves.lead_window
            and abs(others.size_log_odds) >= {{ var('large_move_log_odds') }}
    ) as around on moves.is_large

)

select
    sport_id,
    day,
    version,
    event_id,
    market_id,
    book_id,
    moved_at,
    direction,
    position_before,
    position_after,
    size_log_odds,
    since_look_seconds,
    books_before,
    books_following,
    leader_id,
    extract(epoch from moved_at - led_at)::double precision as lag_seconds,
    exists(
        select from {{ ref('stg_pricing__movements') }} as steams
        where
            steams.event_id = followed.event_id
            and steams.market_id = followed.market_id
            and steams.direction = followed.direction
            and steams.kind = 'steam'
            and steams.moved_at >= followed.moved_at
            and steams.moved_at <= followed.moved_at + followed.steam_window
    ) as is_steam
from followed
