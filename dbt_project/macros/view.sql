{#
        Replaces a view in place. dbt would rename it at every build and drop it, with all views that a person has built on
        it. Here it is dropped only if its columns have changed. Its comment holds the version of the project that built it.
#}
{% materialization view, adapter='postgres' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {%- if existing is not none and not existing.is_view %}
        {{ drop_relation_if_exists(existing) }}
    {%- endif %}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- call statement('main') -%}
        do $view$ begin
            {{ get_replace_view_sql(target, sql) }}
        exception when invalid_table_definition then
            drop view {{ target }} cascade;
            {{ get_replace_view_sql(target, sql) }}
        end $view$;
        comment on view {{ target }} is '{{ env_var("DBT_PROJECT_VERSION", "") }}'
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
