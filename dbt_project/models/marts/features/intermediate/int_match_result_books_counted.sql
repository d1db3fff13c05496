{{
    config(
        materialized='incremental',
        indexes=[{'columns': ['event_id', 'decision_point']}, {'columns': ['version']}],
        pre_hook='{{ delete_repriced_rows() }}',
        post_hook='{{ analyze_if_grown() }}'
    )
}}

-- The books on the match result at a decision point: how many, their margins, how many of them are references, and
-- their sharpness as of the start of that day. Means are numeric: the last bit of a sum of floats depends on the order
-- of rows.
with quoting as materialized (

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
    from quoting) as days
    cross join lateral (
        select by_day.log_loss_gain
        from {{ ref('int_book_sharpness_by_day') }} as by_day
        where by_day.sport = days.sport and by_day.book = days.book and by_day.known_from <= days.day
        order by by_day.known_from desc
        limit 1
    ) as known

)

select
    quoting.event_id,
    quoting.decision_point,
    quoting.version,
    count(*) as books_on_offer,
    avg(quoting.margin::numeric)::double precision as mean_margin,
    min(quoting.margin) as least_margin,
    count(books.reference_rank) as sharp_books_on_offer,
    avg(sharpness.log_loss_gain::numeric)::double precision as mean_sharpness,
    max(sharpness.log_loss_gain) as greatest_sharpness
from quoting
inner join {{ ref('stg_edge__books') }} as books on quoting.book = books.book
left join sharpness
    on quoting.sport = sharpness.sport and quoting.book = sharpness.book and quoting.day = sharpness.day
group by quoting.event_id, quoting.decision_point, quoting.version
