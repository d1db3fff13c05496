select
    sport,
    season,
    book
from {{ ref('closing_coverage') }}
group by sport, season, book
having
    abs(sum(percent_of_expected) - 100) > 1e-6
    or abs(sum(percent_of_missing) - 100) > 1e-6
