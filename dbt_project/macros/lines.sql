{# A line is a market of an event at one point: the home side's or the total, 0 if there is none. #}
{% macro line_point(quote) -%}
    case
        when {{ quote }}.market_id = {{ market_id('spreads') }} and {{ quote }}.outcome_id = {{ outcome_id('away') }}
            then 0 - {{ quote }}.point
        else coalesce({{ quote }}.point, 0)
    end::real
{%- endmacro %}

{# The point as the book states it for the selection. #}
{% macro selection_point(quote) -%}
    case
        when {{ quote }}.market_id = {{ market_id('spreads') }} and {{ quote }}.outcome_id = {{ outcome_id('away') }}
            then 0 - {{ quote }}.line_point
        when {{ quote }}.market_id in ({{ market_id('spreads') }}, {{ market_id('totals') }}) then {{ quote }}.line_point
    end::real
{%- endmacro %}
