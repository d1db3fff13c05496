{{
    config(
        materialized='incremental',
        indexes=[{'columns': ['event_id', 'decision_point']}, {'columns': ['version']}],
        pre_hook='{{ delete_repriced_rows() }}',
        post_hook='{{ analyze_if_grown() }}'
    )
}}

-- The books on the match result at a moment: how many, what they charge, how many of them are references, and how sharp
-- they had been by the beginning of that day. Means are numeric, because of the last bit.
with boards as materialized (

    select
        margins.event_id,
        margins.decision_point,
        margins.version,
        events.sport,
        margins.book,
        (margins.decided_at at time zone 'utc')::date as day,
        margins.margin
    from {{ ref('int_book_margins_calculated') }} as margins
    inner join {{ ref('int_events_with_season') }} as events on margins.event_id = events.event_id
    where
        margins.market in ('h2h', 'h2h_3_way')
        {% if is_incremental() %}
            and margins.version > {{ stored_version() }}
        {% endif %}

),

sharpness as (

    select
        days.sport,
        days.book,
        days.day,
        known.log_loss_gain
    from (select distinct
        sport,
        book,
        day
    from boards) as days
    cross join lateral (
        select dated.log_loss_gain
        from {{ ref('int_book_sharpness_by_day') }} as dated
        where dated.sport = days.sport and dated.book = days.book and dated.known_from <= days.day
        order by dated.known_from desc
        limit 1
    ) as known

)

select
    boards.event_id,
    boards.decision_point,
    boards.version,
    count(*) as books_on_offer,
    avg(boards.margin::numeric)::double precision as mean_margin,
    min(boards.margin) as least_margin,
    count(books.reference_rank) as sharp_books_on_offer,
    avg(sharpness.log_loss_gain::numeric)::double precision as mean_sharpness,
    max(sharpness.log_loss_gain) as greatest_sharpness
from boards
inner join {{ ref('stg_edge__books') }} as books on boards.book = books.book
left join sharpness
    on boards.sport = sharpness.sport and boards.book = sharpness.book and boards.day = sharpness.day
group by boards.event_id, boards.decision_point, boards.version
