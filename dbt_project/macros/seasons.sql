{% macro season_of(sport, at) %}
    extract(year from ({{ at }} at time zone 'utc') - make_interval(months => case
{%- for prefix, month in var('season_first_month').items() %}
        when starts_with({{ sport }}, '{{ prefix }}') then {{ month - 1 }}
{%- endfor %}
        else 0
    end))::smallint
{% endmacro %}
