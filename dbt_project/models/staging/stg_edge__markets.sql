select
    id as market_id,
    key as market
from {{ source('edge', 'markets') }}
