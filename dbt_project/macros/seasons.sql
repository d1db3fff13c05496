{# Where the gate asks for it, too. #}
{% macro season_of(sport, at) %}public.season_of({{ sport }}, {{ at }}){% endmacro %}
