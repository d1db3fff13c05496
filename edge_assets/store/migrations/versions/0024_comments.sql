-- Comments, as the data dictionary publishes them, in the words of `docs/glossary.md`.

COMMENT ON COLUMN polls.market_times IS
'zstd of ml.quotes.MarketConfirmations: when each book last confirmed each market that it offered at this poll';
COMMENT ON COLUMN polls.scope IS 'the event, books and markets that the poll covers; NULL: the whole sport';
COMMENT ON COLUMN keyframes.quotes IS 'zstd of rows of edge_assets.store.polls.keyframes.QUOTE_DTYPE';
COMMENT ON COLUMN events.import_id IS 'the import that first listed it; NULL: it was polled';
COMMENT ON COLUMN quality_findings.blocks IS
'its extent is unknown: until it is decided, the warehouse takes in nothing more of the sport or feed';
COMMENT ON COLUMN quality_findings.was_held IS 'whether the warehouse was last built without the prices in its scope';
COMMENT ON COLUMN result_decisions.from_source IS
'the source whose score was accepted; NULL: entered by the person';
COMMENT ON COLUMN pricing.settlements.verdict_id IS 'number of ml.settlement.BetStatus';
COMMENT ON COLUMN alert_publications.late_s IS 'delay in seconds where it was published late; NULL: in time';
COMMENT ON COLUMN unreadable_answers.body IS
'zstd of the first bytes of the body, at most edge_assets.store.polls.unreadable.MAX_BODY_BYTES';
