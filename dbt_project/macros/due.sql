{# Decisions are made anew as a whole: what of them is due is deleted first, also where nothing comes in its place. #}
{% macro forget_due() %}
    {% if is_incremental() %}
        delete from {{ this }} using {{ ref('int_decisions_due') }} as due
        where {{ this }}.event_id = due.event_id and {{ this }}.moment_id = due.moment_id
    {% endif %}
{% endmacro %}
