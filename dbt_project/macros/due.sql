{# Decisions are rebuilt as a whole: rows of due decisions are deleted first, even if no others take their place. #}
{% macro delete_due_rows() %}
    {% if is_incremental() %}
        delete from {{ this }} using {{ ref('int_decisions_due') }} as due
        where {{ this }}.event_id = due.event_id and {{ this }}.decision_point_id = due.decision_point_id
    {% endif %}
{% endmacro %}

{# Deletes rows that a later pricing has replaced; the model then adds every version above the stored one. #}
{% macro delete_repriced_rows() %}
    {%- set fingerprints = ref('int_decisions_with_pricing_version') -%}
    {% if is_incremental() %}
        delete from {{ this }} using {{ fingerprints }} as fingerprints
        where
            {{ this }}.event_id = fingerprints.event_id and {{ this }}.decision_point = fingerprints.decision_point
            and fingerprints.version > {{ stored_version() }}
    {% endif %}
{% endmacro %}

{% macro stored_version() %}coalesce((select max(stored.version) from {{ this }} as stored), 0){% endmacro %}

{# Events whose closes were repriced or whose status changed; all rows of an event have the same fingerprint. #}
{% macro closes_changed() %}
    select fingerprints.*
    from {{ ref('int_closes_fingerprinted') }} as fingerprints
    {% if is_incremental() %}
        left join lateral (
            select
                stored.version,
                stored.event_status
            from {{ this }} as stored
            where stored.event_id = fingerprints.event_id
            limit 1
        ) as stored on true
        where (stored.version, stored.event_status) is distinct from (fingerprints.version, fingerprints.event_status)
    {% endif %}
{% endmacro %}

{% macro delete_changed_closes() %}
    {% if is_incremental() %}
        delete from {{ this }} using ({{ closes_changed() }}) as changed where {{ this }}.event_id = changed.event_id
    {% endif %}
{% endmacro %}

{# Seasons that have changed since their rows were built. #}
{% macro seasons_changed() %}
    select fingerprints.*
    from {{ ref('int_seasons_fingerprinted') }} as fingerprints
    {% if is_incremental() %}
        where not exists (
            select from {{ this }} as stored
            where
                stored.sport = fingerprints.sport
                and stored.season = fingerprints.season
                and stored.fingerprint = fingerprints.fingerprint
        )
    {% endif %}
{% endmacro %}

{% macro delete_changed_seasons() %}
    {% if is_incremental() %}
        delete from {{ this }} using ({{ seasons_changed() }}) as changed
        where {{ this }}.sport = changed.sport and {{ this }}.season = changed.season
    {% endif %}
{% endmacro %}
