-- The bell rings after the commit, in a transaction of its own (docs/decisions/0012): inside it, NOTIFY made all commits
-- of a database wait for each other.
DROP TRIGGER outbox_notify ON outbox;
DROP FUNCTION notify_outbox();
