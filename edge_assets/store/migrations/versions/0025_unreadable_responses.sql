-- What a feed returns is a response everywhere. Only the catalogue changes.
ALTER TABLE unreadable_answers RENAME TO unreadable_responses;
ALTER INDEX unreadable_answers_pkey RENAME TO unreadable_responses_pkey;
ALTER INDEX unreadable_answers_sport_id_feed_sha256_key RENAME TO unreadable_responses_sport_id_feed_sha256_key;
ALTER SEQUENCE unreadable_answers_id_seq RENAME TO unreadable_responses_id_seq;
ALTER TABLE unreadable_responses
RENAME CONSTRAINT unreadable_answers_sport_id_fkey TO unreadable_responses_sport_id_fkey;

COMMENT ON TABLE unreadable_responses IS
'responses of a feed that are not a list of events; those that are have a poll and a payload';
COMMENT ON COLUMN unreadable_responses.body IS
'zstd of the first bytes of the body, at most edge_assets.store.polls.unreadable_responses.MAX_BODY_BYTES';
