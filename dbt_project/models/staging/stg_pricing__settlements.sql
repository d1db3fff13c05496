select
    settlements.event_id,
    markets.market,
    settlements.known_at,
    settlements.superseded_at,
    (array['settled', 'void', 'pending', 'no_score', 'unknown_rules', 'contradicted', 'unsupported'])[
        settlements.verdict_id
    ] as verdict,
    outcomes.outcome as winner
from {{ source('pricing', 'settlements') }} as settlements
inner join {{ ref('stg_edge__markets') }} as markets on settlements.market_id = markets.market_id
left join {{ ref('stg_edge__outcomes') }} as outcomes on settlements.winner_id = outcomes.outcome_id
