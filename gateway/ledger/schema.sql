-- The ledger: what was taken in, where it stands, what was said, and the history of it all.
--
-- Version 2. Every table is strict, so a wrong type is refused and not converted. `seq` is the order of insertion.
-- Moments are nanoseconds since 1970 in UTC (`_utc_ns`, `_ns`), with the monotonic clock of one process beside them
-- where an interval is measured. JSON is text. State names carry their transitions; the tables of
-- routing/lifecycle.py are the authority, and a test compares the two.

-- One row: how often the ledger was opened for writing. A lease of an earlier epoch belongs to a dead process.
CREATE TABLE ledger (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL
) STRICT;
INSERT INTO ledger (one, epoch) VALUES (1, 0);

-- A message as it came in, with the receipt it was given. Never changed.
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
-- One decision for each name, for ever. A message that was not accepted leaves its name free, and a message
-- without a key has none.
CREATE UNIQUE INDEX message_name ON message (scope, message_key) WHERE accepted = 1 AND message_key IS NOT NULL;

-- A declaration durably taken in.
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
            'rejected', -- (start) --invalid--> rejected
            'accepted', -- (start) --valid--> accepted; accepted, held, refused, released --reopen--> accepted
            'held', -- accepted, held, refused, released --hold--> held
            'refused', -- accepted, held, refused, released --refuse--> refused
            'released', -- accepted, held, refused, released --release--> released
            'cancelled' -- accepted, held, refused, released --cancel--> cancelled
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
-- An LRN names one original of its declarant, and an interchange reference with a position one message of its
-- sender; each among what one partner lodged, so that nobody uses up another's names or learns of them. Neither is
-- used up by what was rejected; no lodgement becomes rejected later. `mrn_given`: an agency gave the MRN, where
-- the trader had written another or none.
CREATE UNIQUE INDEX lodgement_lrn_claimed ON lodgement (partner, declarant, lrn) WHERE claims_lrn = 1;
CREATE UNIQUE INDEX lodgement_interchange ON lodgement (partner, sender, reference, position)
WHERE sender IS NOT NULL AND reference IS NOT NULL AND state <> 'rejected';
-- One amendment or cancellation of an original is lodged once, under whatever message name it comes again.
CREATE UNIQUE INDEX lodgement_follow_up ON lodgement (root, content_digest) WHERE root <> id AND state <> 'rejected';
CREATE INDEX lodgement_message ON lodgement (message);
CREATE INDEX lodgement_lrn ON lodgement (lrn);
CREATE INDEX lodgement_mrn ON lodgement (mrn) WHERE mrn IS NOT NULL;
CREATE INDEX lodgement_partner ON lodgement (partner, seq);

-- What a lodgement says. Apart from its state, because a row is rewritten whole when its state changes.
CREATE TABLE content (
    seq INTEGER PRIMARY KEY REFERENCES lodgement (seq),
    document BLOB NOT NULL,
    declaration BLOB NOT NULL,
    findings BLOB NOT NULL
) STRICT;

-- One lodgement to one agency. The deliveries of one root to one agency are a lane and go out in the order they
-- came in. `head` = 1: the first unfinished one of its lane, the only one that may be claimed.
--
-- What awaits its MDN is unfinished: nobody knows yet that it came. It is claimed again at `due_ns`, if no MDN
-- has come by then.
--
-- A dead letter is unfinished, and so is one whose MDN is of other content. Were it stepped over, the amendment would reach the agency before, or without,
-- the declaration that it amends, and a person who requeues the dead letter would overwrite the newer with the
-- older. A person must look at it anyway: to close it or to requeue it lets the lane go on, and no other lane waits.
CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    lodgement TEXT NOT NULL REFERENCES lodgement (id),
    root TEXT NOT NULL REFERENCES lodgement (id),
    agency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN (
            'pending', -- (start) --queue--> pending; sending, awaiting --fail--> pending;
            -- awaiting, sent, dead, mismatched --requeue--> pending
            'sending', -- pending, awaiting --claim--> sending
            'awaiting', -- pending, sending, awaiting --transfer--> awaiting
            'sent', -- pending, sending, awaiting, sent, dead, mismatched --receipt--> sent; sent --fail--> sent;
            -- sent --transfer--> sent; sent --mismatch--> sent
            'answered', -- pending, sending, awaiting, sent, answered, dead --answer--> answered;
            -- mismatched, closed --answer--> answered; answered --receipt--> answered;
            -- answered --transfer--> answered; answered --mismatch--> answered; answered --fail--> answered
            'dead', -- pending, sending, awaiting --expire--> dead; pending, sending, awaiting --quarantine--> dead;
            -- pending, sending, awaiting, sent, mismatched --refuse--> dead
            'mismatched', -- pending, sending, awaiting, dead, mismatched --mismatch--> mismatched;
            -- mismatched --fail--> mismatched; mismatched --transfer--> mismatched
            'closed', -- dead, mismatched --close--> closed; closed --receipt--> closed; closed --mismatch--> closed
            'withheld' -- (start), pending, sending --withhold--> withheld
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
CREATE INDEX delivery_lane ON delivery (root, agency, seq)
WHERE state IN ('pending', 'sending', 'awaiting', 'dead', 'mismatched');
CREATE INDEX delivery_due ON delivery (agency, due_ns, seq) WHERE state IN ('pending', 'awaiting') AND head = 1;
CREATE INDEX delivery_leased ON delivery (lease_until_ns) WHERE state = 'sending';

-- The last number given to each partner's log. It grows in the transaction that uses it: no gap, no double.
CREATE TABLE trader_log (
    partner TEXT PRIMARY KEY,
    last_number INTEGER NOT NULL CHECK (last_number > 0)
) STRICT;

-- An entry of a trader's log. The log is the lane: pushes go out in the order of their numbers, one at a time, the
-- next when the MDN of the one before is here. A dead letter does not stop its lane here, nor one whose MDN is of
-- other content: the numbers show the trader the gap, and the entry can be pulled.
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
            'stored', -- (start) --store--> stored; dead, mismatched --close--> stored; stored --mismatch--> stored
            'pending', -- (start) --queue--> pending; sending, awaiting --fail--> pending; pending --pull--> pending;
            -- stored, awaiting, delivered, dead, mismatched --requeue--> pending
            'sending', -- pending, awaiting --claim--> sending; sending --pull--> sending
            'awaiting', -- pending, sending, awaiting --transfer--> awaiting; awaiting --pull--> awaiting
            'delivered', -- stored, pending, sending, awaiting, delivered, dead, mismatched --receipt--> delivered;
            -- delivered --fail--> delivered; delivered --transfer--> delivered; delivered --mismatch--> delivered;
            -- stored, delivered, dead, mismatched --pull--> delivered
            'dead', -- pending, sending, awaiting --expire--> dead; pending, sending, awaiting --quarantine--> dead
            'mismatched' -- pending, sending, awaiting, dead, mismatched --mismatch--> mismatched;
            -- mismatched --fail--> mismatched; mismatched --transfer--> mismatched
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
CREATE INDEX notification_lane ON notification (partner, number) WHERE state IN ('pending', 'sending', 'awaiting');
CREATE INDEX notification_due ON notification (due_ns, seq) WHERE state IN ('pending', 'awaiting') AND head = 1;
CREATE INDEX notification_leased ON notification (lease_until_ns) WHERE state = 'sending';
CREATE INDEX notification_unheard ON notification (state, seq) WHERE state IN ('dead', 'mismatched');

-- An MDN that is posted to the sender of a message, at an address of its own; the receipt of the message is what is
-- posted. There is one for a message, whichever copies of it came. It has no lane: an MDN names its message. `once` = 1:
-- a single try at posting it is made, for nobody has authenticated the message.
CREATE TABLE mdn (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    message TEXT NOT NULL UNIQUE REFERENCES message (id),
    party TEXT NOT NULL,
    url TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN (
            'pending', -- (start) --queue--> pending; sending --fail--> pending;
            -- pending, delivered, dead, closed --repeat--> pending; delivered, dead --requeue--> pending
            'sending', -- pending --claim--> sending; sending --repeat--> sending
            'delivered', -- pending, sending, delivered, dead --transfer--> delivered; delivered --fail--> delivered
            'dead', -- pending, sending --expire--> dead; pending, sending --quarantine--> dead
            'closed' -- sending, dead --close--> closed; closed --transfer--> closed
        )
    ),
    due_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_attempt_ns INTEGER,
    lease_epoch INTEGER,
    lease_until_ns INTEGER,
    once INTEGER NOT NULL DEFAULT 0 CHECK (once IN (0, 1)),
    CHECK (state = 'sending' OR lease_until_ns IS NULL)
) STRICT;
CREATE INDEX mdn_due ON mdn (party, due_ns, seq) WHERE state = 'pending';
CREATE INDEX mdn_state ON mdn (state, seq);

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

-- The outgoing message of a delivery or a notification. The newest counts; the older ones were sent and stay.
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

-- What an agency said. It may speak again: nothing is replaced, the newest counts.
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

-- The consolidated decision, version by version.
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

-- The history. It may speak of a message that was not kept, so it refers to no row: a history refuses nothing.
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
CREATE INDEX event_message ON event (message, number) WHERE message IS NOT NULL AND lodgement IS NULL;

-- What has been written is not rewritten, and nothing is deleted: the store refuses, whoever asks.
CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER event_is_kept BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER message_is_append_only BEFORE UPDATE ON message
BEGIN SELECT RAISE(ABORT, 'message is append-only'); END;
CREATE TRIGGER message_is_kept BEFORE DELETE ON message
BEGIN SELECT RAISE(ABORT, 'message is append-only'); END;
CREATE TRIGGER attachment_is_append_only BEFORE UPDATE ON attachment
BEGIN SELECT RAISE(ABORT, 'attachment is append-only'); END;
CREATE TRIGGER attachment_is_kept BEFORE DELETE ON attachment
BEGIN SELECT RAISE(ABORT, 'attachment is append-only'); END;
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
CREATE TRIGGER mdn_is_kept BEFORE DELETE ON mdn
BEGIN SELECT RAISE(ABORT, 'an mdn is never deleted'); END;
