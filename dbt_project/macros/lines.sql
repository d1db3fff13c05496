{# The ids are constants of ml.quotes, seeded by the first migration. #}
{% macro valued_markets() %}1, 2, 3, 4{% endmacro %}

{# A line is a market of an event at one point: the home side's or the total, 0 if there is none. #}
{% macro line_point(quote) -%}
    case
        when {{ quote }}.market_id = 3 and {{ quote }}.outcome_id = 2 then 0 - {{ quote }}.point
        else coalesce({{ quote }}.point, 0)
    end::real
{%- endmacro %}

{# The point as the book states it for the selection. #}
{% macro selection_point(quote) -%}
    case
        when {{ quote }}.market_id = 3 and {{ quote }}.outcome_id = 2 then 0 - {{ quote }}.line_point
        when {{ quote }}.market_id in (3, 4) then {{ quote }}.line_point
    end::real
{%- endmacro %}
