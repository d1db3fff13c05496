{# Decisions are made anew as a whole: what of them is due is deleted first, also where nothing comes in its place. #}
{% macro forget_due() %}
    {% if is_incremental() %}
        delete from {{ this }} using {{ ref('int_decisions_due') }} as due
        where {{ this }}.event_id = due.event_id and {{ this }}.moment_id = due.moment_id
    {% endif %}
{% endmacro %}

{# A mart appends what is stamped differently from what it holds, and then deletes what is not stamped like that. #}
{% macro forget_superseded(stamps, key, stamp) %}
    delete from {{ this }} using {{ stamps }} as stamps
    where
        {% for column in key %}{{ this }}.{{ column }} = stamps.{{ column }} and {% endfor %}
        ({% for column in stamp %}{{ this }}.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
        <> ({% for column in stamp %}stamps.{{ column }}{{ ', ' if not loop.last }}{% endfor %})
{% endmacro %}
