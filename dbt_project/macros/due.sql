{# Decisions are made anew as a whole: what of them is due is deleted first, also where nothing comes in its place. #}
{% macro delete_due_rows() %}
    {% if is_incremental() %}
        delete from {{ this }} using {{ ref('int_decisions_due') }} as due
        where {{ this }}.event_id = due.event_id and {{ this }}.decision_point_id = due.decision_point_id
    {% endif %}
{% endmacro %}

{# What a later pricing has made anew; the model then takes everything later than what it holds. #}
{% macro delete_repriced_rows() %}
    {%- set fingerprints = ref('int_decisions_with_pricing_version') -%}
    {% if is_incremental() %}
        delete from {{ this }} using {{ fingerprints }} as fingerprints
        where
            {{ this }}.event_id = fingerprints.event_id and {{ this }}.decision_point = fingerprints.decision_point
            and fingerprints.version > {{ stored_version() }}
    {% endif %}
{% endmacro %}

{% macro stored_version() %}coalesce((select max(known.version) from {{ this }} as known), 0){% endmacro %}

{# Events whose closes were priced anew or whose fate has changed; all rows of an event have the same stamp. #}
{% macro closes_changed() %}
    select fingerprints.*
    from {{ ref('int_closes_fingerprinted') }} as fingerprints
    {% if is_incremental() %}
        left join lateral (
            select
                known.version,
                known.event_status
            from {{ this }} as known
            where known.event_id = fingerprints.event_id
            limit 1
        ) as known on true
        where (known.version, known.event_status) is distinct from (fingerprints.version, fingerprints.event_status)
    {% endif %}
{% endmacro %}

{% macro delete_changed_closes() %}
    {% if is_incremental() %}
        delete from {{ this }} using ({{ closes_changed() }}) as changed where {{ this }}.event_id = changed.event_id
    {% endif %}
{% endmacro %}

{# Seasons of which anything has changed since their rows were made. #}
{% macro seasons_changed() %}
    select fingerprints.*
    from {{ ref('int_seasons_fingerprinted') }} as fingerprints
    {% if is_incremental() %}
        where not exists (
            select from {{ this }} as known
            where known.sport = fingerprints.sport and known.season = fingerprints.season and known.fingerprint = fingerprints.fingerprint
        )
    {% endif %}
{% endmacro %}

{% macro delete_changed_seasons() %}
    {% if is_incremental() %}
        delete from {{ this }} using ({{ seasons_changed() }}) as changed
        where {{ this }}.sport = changed.sport and {{ this }}.season = changed.season
    {% endif %}
{% endmacro %}
