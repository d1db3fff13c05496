-- A look at one event tells nothing of the others, nor of books and markets that were not asked for.
ALTER TABLE polls ADD COLUMN scope jsonb;

COMMENT ON COLUMN polls.scope IS
'the event, the books and the markets that were looked at; NULL: all that the sport''s bulk answer holds';
