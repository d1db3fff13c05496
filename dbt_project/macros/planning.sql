{# The server takes joins by many columns for a single row, and then loops over thousands of them. #}
{% macro hash_joins() %}set local enable_nestloop = off{% endmacro %}

{# Fresh tables have no statistics until the server finds the time. #}
{% macro analyzed() %}analyze {{ this }}{% endmacro %}
