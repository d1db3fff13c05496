{# The server takes joins by many columns for a single row, and then loops over thousands of them; or it sorts millions
   of rows on both sides: 64 s instead of 43 for the snapshots of 62,149 matches. #}
{% macro force_hash_joins() %}
set local enable_nestloop = off;
set local enable_mergejoin = off
{% endmacro %}

{# It takes a season for a single row too, and then sorts the pairs of its closes: 8 s instead of 1. #}
{% macro disable_sort() %}set local enable_sort = off{% endmacro %}

{# Fresh tables have no statistics until the server finds the time; an old one needs them when a tenth has come. #}
{% macro analyze_if_grown() %}
{% set main = load_result("main") %}
do $$ begin
    if {{ main.response.rows_affected if main else 0 }} * 10 > (
        select reltuples from pg_class where oid = '{{ this }}'::regclass
    ) then analyze {{ this }};
    end if;
end $$
{% endmacro %}
