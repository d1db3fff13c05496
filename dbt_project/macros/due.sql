{# Decisions are made anew as a whole: what of them is due is deleted first, also where nothing comes in its place. #}
{% macro forget_due() %}
    {% if is_incremental() %}
        delete from {{ this }} using {{ ref('int_decisions_due') }} as due
        where {{ this }}.event_id = due.event_id and {{ this }}.moment_id = due.moment_id
    {% endif %}
{% endmacro %}

{# What a later pricing has made anew; the model then takes everything later than what it holds. #}
{% macro forget_repriced() %}
    {%- set stamps = ref('int_moments_stamped') -%}
    {% if is_incremental() %}
        delete from {{ this }} using {{ stamps }} as stamps
        where
            {{ this }}.event_id = stamps.event_id and {{ this }}.moment = stamps.moment
            and stamps.version > {{ known_version() }}
    {% endif %}
{% endmacro %}

{% macro known_version() %}coalesce((select max(known.version) from {{ this }} as known), 0){% endmacro %}

{# Events whose closes were priced anew or whose fate has changed; all rows of an event have the same stamp. #}
{% macro closes_changed() %}
    select stamps.*
    from {{ ref('int_closes_stamped') }} as stamps
    {% if is_incremental() %}
        left join lateral (
            select
                known.version,
                known.event_status
            from {{ this }} as known
            where known.event_id = stamps.event_id
            limit 1
        ) as known on true
        where (known.version, known.event_status) is distinct from (stamps.version, stamps.event_status)
    {% endif %}
{% endmacro %}

{% macro forget_closes() %}
    {% if is_incremental() %}
        delete from {{ this }} using ({{ closes_changed() }}) as changed where {{ this }}.event_id = changed.event_id
    {% endif %}
{% endmacro %}

{# Seasons of which anything has changed since their rows were made. #}
{% macro seasons_changed() %}
    select stamps.*
    from {{ ref('int_seasons_stamped') }} as stamps
    {% if is_incremental() %}
        where not exists (
            select from {{ this }} as known
            where known.sport = stamps.sport and known.season = stamps.season and known.stamp = stamps.stamp
        )
    {% endif %}
{% endmacro %}

{% macro forget_seasons() %}
    {% if is_incremental() %}
        delete from {{ this }} using ({{ seasons_changed() }}) as changed
        where {{ this }}.sport = changed.sport and {{ this }}.season = changed.season
    {% endif %}
{% endmacro %}
