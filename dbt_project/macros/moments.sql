{% macro moment_id(name) %}{{ (var('moments') | list).index(name) }}{% endmacro %}

{# Number, name and seconds before the start. #}
{% macro moment_rows() %}
    {%- for name, seconds in var('moments').items() %}
    ({{ loop.index0 }}, '{{ name }}', {{ 'null' if seconds is none else seconds }}){{ ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}
