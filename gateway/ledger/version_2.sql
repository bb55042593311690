-- From version 1 to version 2: deliveries and notifications may await an MDN, or have one of other content; MDNs are
-- posted; attachments are kept.
--
-- A CHECK cannot be altered: a table is made anew, filled, and put in the place of the old one, with foreign keys
-- off. This text is not changed any more; what comes later is a version of its own.

CREATE TABLE new_delivery (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    lodgement TEXT NOT NULL REFERENCES lodgement (id),
    root TEXT NOT NULL REFERENCES lodgement (id),
    agency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN ('pending', 'sending', 'awaiting', 'sent', 'answered', 'dead', 'mismatched', 'closed', 'withheld')
    ),
    head INTEGER NOT NULL CHECK (head IN (0, 1)),
    due_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_attempt_ns INTEGER,
    lease_epoch INTEGER,
    lease_until_ns INTEGER,
    CHECK (state = 'sending' OR lease_until_ns IS NULL)
) STRICT;
INSERT INTO new_delivery (
    seq, id, lodgement, root, agency, state, head, due_ns, attempts, first_attempt_ns, lease_epoch, lease_until_ns
) SELECT
    seq, id, lodgement, root, agency, state, head, due_ns, attempts, first_attempt_ns, lease_epoch, lease_until_ns
FROM delivery ORDER BY seq;
DROP TABLE delivery;
ALTER TABLE new_delivery RENAME TO delivery;
CREATE INDEX delivery_lodgement ON delivery (lodgement);
CREATE INDEX delivery_state ON delivery (state, agency);
CREATE INDEX delivery_lane ON delivery (root, agency, seq)
WHERE state IN ('pending', 'sending', 'awaiting', 'dead', 'mismatched');
CREATE INDEX delivery_due ON delivery (agency, due_ns, seq) WHERE state IN ('pending', 'awaiting') AND head = 1;
CREATE INDEX delivery_leased ON delivery (lease_until_ns) WHERE state = 'sending';
CREATE TRIGGER delivery_is_kept BEFORE DELETE ON delivery
BEGIN SELECT RAISE(ABORT, 'a delivery is never deleted'); END;

CREATE TABLE new_notification (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    partner TEXT NOT NULL REFERENCES trader_log (partner),
    number INTEGER NOT NULL,
    lodgement TEXT REFERENCES lodgement (id),
    kind TEXT NOT NULL,
    content_type TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN ('stored', 'pending', 'sending', 'awaiting', 'delivered', 'dead', 'mismatched')
    ),
    head INTEGER NOT NULL CHECK (head IN (0, 1)),
    due_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_attempt_ns INTEGER,
    lease_epoch INTEGER,
    lease_until_ns INTEGER,
    decision_version INTEGER,
    created_utc_ns INTEGER NOT NULL,
    created_monotonic_ns INTEGER NOT NULL,
    created_process TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (partner, number),
    CHECK (state = 'sending' OR lease_until_ns IS NULL)
) STRICT;
INSERT INTO new_notification (
    seq, id, partner, number, lodgement, kind, content_type, state, head, due_ns, attempts, first_attempt_ns,
    lease_epoch, lease_until_ns, decision_version, created_utc_ns, created_monotonic_ns, created_process, body
) SELECT
    seq, id, partner, number, lodgement, kind, content_type, state, head, due_ns, attempts, first_attempt_ns,
    lease_epoch, lease_until_ns, decision_version, created_utc_ns, created_monotonic_ns, created_process, body
FROM notification ORDER BY seq;
DROP TABLE notification;
ALTER TABLE new_notification RENAME TO notification;
CREATE INDEX notification_lodgement ON notification (lodgement, number) WHERE lodgement IS NOT NULL;
CREATE INDEX notification_lane ON notification (partner, number) WHERE state IN ('pending', 'sending', 'awaiting');
CREATE INDEX notification_due ON notification (due_ns, seq) WHERE state IN ('pending', 'awaiting') AND head = 1;
CREATE INDEX notification_leased ON notification (lease_until_ns) WHERE state = 'sending';
CREATE TRIGGER notification_is_kept BEFORE DELETE ON notification
BEGIN SELECT RAISE(ABORT, 'a notification is never deleted'); END;

CREATE INDEX event_message ON event (message, number) WHERE message IS NOT NULL AND lodgement IS NULL;

-- An MDN that is posted to the sender of a message, at an address of its own; the receipt of the message is what is
-- posted. There is one for a message, whichever copies of it came. It has no lane: an MDN names its message.
CREATE TABLE mdn (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    message TEXT NOT NULL UNIQUE REFERENCES message (id),
    party TEXT NOT NULL,
    url TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN ('pending', 'sending', 'delivered', 'dead', 'closed')
    ),
    due_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_attempt_ns INTEGER,
    lease_epoch INTEGER,
    lease_until_ns INTEGER,
    CHECK (state = 'sending' OR lease_until_ns IS NULL)
) STRICT;
CREATE INDEX mdn_due ON mdn (party, due_ns, seq) WHERE state = 'pending';
CREATE INDEX mdn_state ON mdn (state, seq);
CREATE TRIGGER mdn_is_kept BEFORE DELETE ON mdn
BEGIN SELECT RAISE(ABORT, 'an mdn is never deleted'); END;

-- A supporting document that came in a message beside the declaration (RFC 6362), as it came. `filename` is what its
-- sender called it, and names nothing here.
CREATE TABLE attachment (
    seq INTEGER PRIMARY KEY,
    message TEXT NOT NULL REFERENCES message (id),
    position INTEGER NOT NULL CHECK (position > 0),
    filename TEXT,
    content_type TEXT NOT NULL,
    digest TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (message, position)
) STRICT;
CREATE TRIGGER attachment_is_append_only BEFORE UPDATE ON attachment
BEGIN SELECT RAISE(ABORT, 'attachment is append-only'); END;
CREATE TRIGGER attachment_is_kept BEFORE DELETE ON attachment
BEGIN SELECT RAISE(ABORT, 'attachment is append-only'); END;
