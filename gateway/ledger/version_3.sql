-- From version 2 to version 3: an MDN may be for posting once only; the notifications that nobody took are found by
-- their state.
--
-- This text is not changed any more; what comes later is a version of its own.

ALTER TABLE mdn ADD COLUMN once INTEGER NOT NULL DEFAULT 0 CHECK (once IN (0, 1));
CREATE INDEX notification_unheard ON notification (state, seq) WHERE state IN ('dead', 'mismatched');
