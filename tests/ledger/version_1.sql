-- What a ledger of version 1 was made of, and the marks of its file.
CREATE TABLE ledger (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL
) STRICT;
INSERT INTO ledger (one, epoch) VALUES (1, 0);
CREATE TABLE message (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    party TEXT,
    scope TEXT NOT NULL,
    message_key TEXT,
    accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
    raw_digest TEXT NOT NULL,
    mic TEXT,
    received_utc_ns INTEGER NOT NULL,
    received_monotonic_ns INTEGER NOT NULL,
    received_process TEXT NOT NULL,
    receipt_status INTEGER NOT NULL,
    receipt_headers TEXT NOT NULL,
    receipt_body BLOB NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX message_name ON message (scope, message_key) WHERE accepted = 1 AND message_key IS NOT NULL;
CREATE TABLE lodgement (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    message TEXT NOT NULL REFERENCES message (id),
    position INTEGER NOT NULL,
    partner TEXT NOT NULL,
    channel TEXT NOT NULL,
    syntax TEXT NOT NULL,
    type TEXT NOT NULL,
    function TEXT NOT NULL,
    declarant TEXT NOT NULL,
    lrn TEXT NOT NULL,
    root TEXT NOT NULL REFERENCES lodgement (id),
    claims_lrn INTEGER NOT NULL CHECK (claims_lrn IN (0, 1)),
    state TEXT NOT NULL CHECK (
        state IN (
            'rejected',
            'accepted',
            'held',
            'refused',
            'released',
            'cancelled'
        )
    ),
    test INTEGER NOT NULL CHECK (test IN (0, 1)),
    content_digest TEXT NOT NULL,
    agencies TEXT NOT NULL,
    sender TEXT,
    reference TEXT,
    mrn TEXT,
    mrn_given INTEGER NOT NULL DEFAULT 0 CHECK (mrn_given IN (0, 1)),
    version INTEGER NOT NULL,
    received_utc_ns INTEGER NOT NULL,
    received_monotonic_ns INTEGER NOT NULL,
    received_process TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX lodgement_lrn_claimed ON lodgement (partner, declarant, lrn) WHERE claims_lrn = 1;
CREATE UNIQUE INDEX lodgement_interchange ON lodgement (partner, sender, reference, position)
WHERE sender IS NOT NULL AND reference IS NOT NULL AND state <> 'rejected';
CREATE UNIQUE INDEX lodgement_follow_up ON lodgement (root, content_digest) WHERE root <> id AND state <> 'rejected';
CREATE INDEX lodgement_message ON lodgement (message);
CREATE INDEX lodgement_lrn ON lodgement (lrn);
CREATE INDEX lodgement_mrn ON lodgement (mrn) WHERE mrn IS NOT NULL;
CREATE INDEX lodgement_partner ON lodgement (partner, seq);
CREATE TABLE content (
    seq INTEGER PRIMARY KEY REFERENCES lodgement (seq),
    document BLOB NOT NULL,
    declaration BLOB NOT NULL,
    findings BLOB NOT NULL
) STRICT;
CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    lodgement TEXT NOT NULL REFERENCES lodgement (id),
    root TEXT NOT NULL REFERENCES lodgement (id),
    agency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN (
            'pending',
            'sending',
            'sent',
            'answered',
            'dead',
            'closed',
            'withheld'
        )
    ),
    head INTEGER NOT NULL CHECK (head IN (0, 1)),
    due_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_attempt_ns INTEGER,
    lease_epoch INTEGER,
    lease_until_ns INTEGER,
    CHECK (state = 'sending' OR lease_until_ns IS NULL)
) STRICT;
CREATE INDEX delivery_lodgement ON delivery (lodgement);
CREATE INDEX delivery_state ON delivery (state, agency);
CREATE INDEX delivery_lane ON delivery (root, agency, seq) WHERE state IN ('pending', 'sending', 'dead');
CREATE INDEX delivery_due ON delivery (agency, due_ns, seq) WHERE state = 'pending' AND head = 1;
CREATE INDEX delivery_leased ON delivery (lease_until_ns) WHERE state = 'sending';
CREATE TABLE trader_log (
    partner TEXT PRIMARY KEY,
    last_number INTEGER NOT NULL CHECK (last_number > 0)
) STRICT;
CREATE TABLE notification (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    partner TEXT NOT NULL REFERENCES trader_log (partner),
    number INTEGER NOT NULL,
    lodgement TEXT REFERENCES lodgement (id),
    kind TEXT NOT NULL,
    content_type TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN (
            'stored',
            'pending',
            'sending',
            'delivered',
            'dead'
        )
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
CREATE INDEX notification_lodgement ON notification (lodgement, number) WHERE lodgement IS NOT NULL;
CREATE INDEX notification_lane ON notification (partner, number) WHERE state IN ('pending', 'sending');
CREATE INDEX notification_due ON notification (due_ns, seq) WHERE state = 'pending' AND head = 1;
CREATE INDEX notification_leased ON notification (lease_until_ns) WHERE state = 'sending';
CREATE TABLE wire (
    seq INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    message_id TEXT NOT NULL,
    url TEXT NOT NULL,
    headers TEXT NOT NULL,
    mic TEXT,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX wire_owner ON wire (owner, seq);
CREATE TABLE answer (
    seq INTEGER PRIMARY KEY,
    delivery TEXT NOT NULL REFERENCES delivery (id),
    lodgement TEXT NOT NULL REFERENCES lodgement (id),
    agency TEXT NOT NULL,
    outcome TEXT NOT NULL,
    received_utc_ns INTEGER NOT NULL,
    received_monotonic_ns INTEGER NOT NULL,
    received_process TEXT NOT NULL,
    response BLOB NOT NULL
) STRICT;
CREATE INDEX answer_lodgement ON answer (lodgement, seq);
CREATE TABLE decision (
    seq INTEGER PRIMARY KEY,
    lodgement TEXT NOT NULL REFERENCES lodgement (id),
    version INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    decided_utc_ns INTEGER NOT NULL,
    decided_monotonic_ns INTEGER NOT NULL,
    decided_process TEXT NOT NULL,
    reasons BLOB NOT NULL,
    UNIQUE (lodgement, version)
) STRICT;
CREATE TABLE event (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    lodgement TEXT,
    message TEXT,
    at_utc_ns INTEGER NOT NULL,
    at_monotonic_ns INTEGER NOT NULL,
    at_process TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX event_lodgement ON event (lodgement, number) WHERE lodgement IS NOT NULL;
CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER event_is_kept BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER message_is_append_only BEFORE UPDATE ON message
BEGIN SELECT RAISE(ABORT, 'message is append-only'); END;
CREATE TRIGGER message_is_kept BEFORE DELETE ON message
BEGIN SELECT RAISE(ABORT, 'message is append-only'); END;
CREATE TRIGGER content_is_append_only BEFORE UPDATE ON content
BEGIN SELECT RAISE(ABORT, 'content is append-only'); END;
CREATE TRIGGER content_is_kept BEFORE DELETE ON content
BEGIN SELECT RAISE(ABORT, 'content is append-only'); END;
CREATE TRIGGER wire_is_append_only BEFORE UPDATE ON wire
BEGIN SELECT RAISE(ABORT, 'wire is append-only'); END;
CREATE TRIGGER wire_is_kept BEFORE DELETE ON wire
BEGIN SELECT RAISE(ABORT, 'wire is append-only'); END;
CREATE TRIGGER answer_is_append_only BEFORE UPDATE ON answer
BEGIN SELECT RAISE(ABORT, 'answer is append-only'); END;
CREATE TRIGGER answer_is_kept BEFORE DELETE ON answer
BEGIN SELECT RAISE(ABORT, 'answer is append-only'); END;
CREATE TRIGGER decision_is_append_only BEFORE UPDATE ON decision
BEGIN SELECT RAISE(ABORT, 'decision is append-only'); END;
CREATE TRIGGER decision_is_kept BEFORE DELETE ON decision
BEGIN SELECT RAISE(ABORT, 'decision is append-only'); END;
CREATE TRIGGER lodgement_is_kept BEFORE DELETE ON lodgement
BEGIN SELECT RAISE(ABORT, 'a lodgement is never deleted'); END;
CREATE TRIGGER delivery_is_kept BEFORE DELETE ON delivery
BEGIN SELECT RAISE(ABORT, 'a delivery is never deleted'); END;
CREATE TRIGGER notification_is_kept BEFORE DELETE ON notification
BEGIN SELECT RAISE(ABORT, 'a notification is never deleted'); END;
PRAGMA application_id = 0x54494445;
PRAGMA user_version = 1;
