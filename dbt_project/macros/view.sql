{#
    A view is replaced where it stands. dbt's own way, at every build, is to rename it and drop it with whatever a
    person has built on it. So it goes here only when its columns have become other ones. Its comment tells which version
    of the project has made it.
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
