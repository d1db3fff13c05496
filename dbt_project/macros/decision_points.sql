{% macro decision_point_id(name) %}{{ (var('decision_points') | list).index(name) }}{% endmacro %}

{# Number, name and seconds before the start. #}
{% macro decision_point_rows() %}
    {%- for name, seconds in var('decision_points').items() %}
    ({{ loop.index0 }}, '{{ name }}', {{ 'null' if seconds is none else seconds }}){{ ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}
