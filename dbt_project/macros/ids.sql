{# Ids are constants of ml.quotes, seeded by the first migration; a test compares the vars with them. #}
{% macro market_id(key) %}{{ var('market_ids')[key] }}{% endmacro %}

{% macro outcome_id(name) %}{{ var('outcome_ids')[name] }}{% endmacro %}

{% macro valued_markets() %}{{ var('market_ids').values() | join(', ') }}{% endmacro %}
