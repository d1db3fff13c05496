{#
    No two rows have equal `columns`; NULLs count as equal. To keep hourly builds short, `newest` restricts the test to
    the rows with the highest value of a column, `due_only` to the events of this build: older rows do not change.
#}
{% test unique_key(model, columns, newest=none, due_only=false) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    {% if newest %}
        where {{ newest }} = (select max(latest.{{ newest }}) from {{ model }} as latest)
    {% elif due_only %}
        where event_id in (select due.event_id from {{ ref('int_decisions_due') }} as due)
    {% endif %}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}
