-- The books on the match result at a moment: how many, what they charge, and how many of them are references.
select
    margins.event_id,
    margins.moment,
    count(*) as books_on_offer,
    avg(margins.margin) as mean_margin,
    min(margins.margin) as least_margin,
    count(books.reference_rank) as sharp_books_on_offer
from {{ ref('int_margins_measured') }} as margins
inner join {{ ref('stg_edge__books') }} as books on margins.book = books.book
where margins.market in ('h2h', 'h2h_3_way')
group by margins.event_id, margins.moment
