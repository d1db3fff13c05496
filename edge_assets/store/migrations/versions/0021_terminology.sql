-- Names as `docs/glossary.md` has them. Only the catalogue changes; no row is touched.

ALTER TABLE result_looks RENAME TO result_polls;
ALTER INDEX IF EXISTS result_looks_pkey RENAME TO result_polls_pkey;

-- The warehouse's own tables and views, where it has been built: dbt finds them under their new names and goes on.
-- What users have added keeps its names.
DO $$
DECLARE
    renamed text[];
    column_of record;
    own_relations constant text[] := ARRAY[
        'book_quality', 'closing_coverage', 'closing_lines', 'event_features', 'int_book_margins_calculated',
        'int_book_pairs_compared', 'int_book_sharpness_by_day', 'int_closes_expected',
        'int_closes_fingerprinted', 'int_closes_scored', 'int_closing_quotes_selected', 'int_decisions_dated',
        'int_decisions_due', 'int_decisions_pending', 'int_decisions_with_pricing_version',
        'int_events_with_season', 'int_events_with_status', 'int_match_result_books_counted',
        'int_polls_unpriced', 'int_quotes_as_of', 'int_seasons_fingerprinted', 'int_selections_offered',
        'int_team_ratings_valid_from', 'int_winners_as_known', 'int_winners_settled', 'line_moves',
        'market_snapshots', 'poll_health', 'stg_edge__aggregates', 'stg_edge__alerts', 'stg_edge__books',
        'stg_edge__event_starts', 'stg_edge__events', 'stg_edge__markets', 'stg_edge__outcomes',
        'stg_edge__polls', 'stg_edge__public_bets', 'stg_edge__results', 'stg_edge__stated_results',
        'stg_edge__ticks', 'stg_pricing__book_moves', 'stg_pricing__decisions', 'stg_pricing__lines',
        'stg_pricing__movements', 'stg_pricing__quotes', 'stg_pricing__settlements', 'stg_pricing__team_ratings'
    ];
BEGIN
    FOREACH renamed SLICE 1 IN ARRAY ARRAY[
        ['features', 'event_features'],
        ['int_events_timed', 'int_events_with_season'],
        ['int_events_concluded', 'int_events_with_status'],
        ['int_closes_stamped', 'int_closes_fingerprinted'],
        ['int_seasons_stamped', 'int_seasons_fingerprinted'],
        ['int_moments_stamped', 'int_decisions_with_pricing_version'],
        ['int_polls_pending', 'int_polls_unpriced'],
        ['int_offers_spanned', 'int_selections_offered'],
        ['int_winners_heard', 'int_winners_as_known'],
        ['int_ratings_dated', 'int_team_ratings_valid_from'],
        ['int_sharpness_dated', 'int_book_sharpness_by_day'],
        ['int_boards_measured', 'int_match_result_books_counted'],
        ['int_margins_measured', 'int_book_margins_calculated'],
        ['int_quotes_closed', 'int_closing_quotes_selected'],
        ['int_closes_judged', 'int_closes_scored'],
        ['int_books_compared', 'int_book_pairs_compared']
    ] LOOP
        IF to_regclass('analytics.' || renamed[1]) IS NOT NULL AND to_regclass('analytics.' || renamed[2]) IS NULL THEN
            EXECUTE 'ALTER TABLE analytics.' || renamed[1] || ' RENAME TO ' || renamed[2];
        END IF;
    END LOOP;

    FOR column_of IN
        SELECT relations.oid::regclass AS relation, attributes.attname, names.new_name
        FROM pg_catalog.pg_attribute AS attributes
        INNER JOIN pg_catalog.pg_class AS relations ON attributes.attrelid = relations.oid
        INNER JOIN (VALUES
            ('moment', 'decision_point'),
            ('moment_id', 'decision_point_id'),
            ('stamp', 'fingerprint'),
            ('looked_event_id', 'polled_event_id'),
            ('since_look', 'seconds_since_last_poll'),
            ('since_look_seconds', 'seconds_since_last_poll'),
            ('outcome_of_close', 'close_result'),
            ('judged_closes', 'scored_closes'),
            ('is_watched', 'is_polled')
        ) AS names (old_name, new_name) ON attributes.attname = names.old_name
        WHERE
            (
                relations.relnamespace = to_regnamespace('pricing')
                OR relations.relnamespace = to_regnamespace('analytics') AND relations.relname = ANY(own_relations)
            )
            AND relations.relkind IN ('r', 'p', 'v')
            AND attributes.attinhcount = 0
            AND NOT attributes.attisdropped
    LOOP
        EXECUTE 'ALTER TABLE ' || column_of.relation || ' RENAME COLUMN ' || column_of.attname || ' TO '
            || column_of.new_name;
    END LOOP;
END
$$;
