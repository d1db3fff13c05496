{# The same function as in the quality gate. #}
{% macro season_of(sport, at) %}public.season_of({{ sport }}, {{ at }}){% endmacro %}
