select
    alerts.id as message_id,
    alerts.alert_id,
    alerts.seq,
    alerts.kind,
    alerts.state,
    alerts.reason,
    sports.key as sport,
    alerts.event_id,
    markets.key as market,
    outcomes.name as outcome,
    alerts.point,
    books.key as book,
    alerts.price as price_decimal,
    alerts.fair_probability,
    alerts.edge,
    alerts.standard_error,
    alerts.expected_value,
    alerts.expected_value_low,
    alerts.expected_value_high,
    alerts.probability_positive,
    alerts.push_probability,
    alerts.kelly_fraction,
    alerts.stake_fraction,
    alerts.confidence,
    alerts.rules,
    alerts.observed_at,
    alerts.poll_id,
    publications.detection_latency_ms
from {{ source('edge', 'alerts') }} as alerts
inner join {{ source('edge', 'sports') }} as sports on alerts.sport_id = sports.id
inner join {{ source('edge', 'markets') }} as markets on alerts.market_id = markets.id
left join {{ source('edge', 'outcomes') }} as outcomes on alerts.outcome_id = outcomes.id
left join {{ source('edge', 'books') }} as books on alerts.book_id = books.id
left join {{ source('edge', 'alert_publications') }} as publications on alerts.id = publications.id
