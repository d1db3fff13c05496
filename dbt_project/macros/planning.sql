{# The planner expects a single row from joins on many columns and loops over thousands of them, or it sorts millions of
   rows on both sides. Hash joins are faster by a third. #}
{% macro force_hash_joins() %}
set local enable_nestloop = off;
set local enable_mergejoin = off
{% endmacro %}

{# The planner expects a single row per season too, and sorts the pairs of its closes, which is many times slower. #}
{% macro disable_sort() %}set local enable_sort = off{% endmacro %}

{# Fresh tables have no statistics until autovacuum runs; an older table needs new ones after growing by a tenth. #}
{% macro analyze_if_grown() %}
{% set main = load_result("main") %}
do $$ begin
    if {{ main.response.rows_affected if main else 0 }} * 10 > (
        select reltuples from pg_class where oid = '{{ this }}'::regclass
    ) then analyze {{ this }};
    end if;
end $$
{% endmacro %}
