{#
        An incremental strategy that replaces all rows in place. dbt's own tables are swapped at every build, and the views
        on them are dropped until they are built again.
#}
{% macro get_incremental_truncate_insert_sql(arg_dict) %}
    {%- set columns = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) %}
    truncate {{ arg_dict["target_relation"] }};
    insert into {{ arg_dict["target_relation"] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict["temp_relation"] }}
{% endmacro %}
