-- How far two books' closing probabilities are apart on the selections that both close.
select
    ours.sport,
    ours.season,
    ours.book,
    theirs.book as other_book,
    count(*) as shared_closes,
    avg(abs(ours.book_probability - theirs.book_probability)) as mean_distance_probability
from {{ ref('closing_lines') }} as ours
inner join {{ ref('closing_lines') }} as theirs
    on
        ours.event_id = theirs.event_id
        and ours.market = theirs.market
        and ours.outcome = theirs.outcome
        and ours.point is not distinct from theirs.point
        and ours.book <> theirs.book
where
    ours.missing_reason is null
    and theirs.missing_reason is null
    and ours.outcome in ('home', 'over')
    and ours.book_probability is not null
    and theirs.book_probability is not null
group by ours.sport, ours.season, ours.book, theirs.book
