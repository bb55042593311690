-- Every statement the ledger uses. One sentence says what each is for; `:name` is a parameter. The order within
-- the file is that of a lodgement's life.

-- begin: Start a transaction that writes, so that nothing read in it is stale when it is written.
BEGIN IMMEDIATE;

-- commit: Make the batch durable.
COMMIT;

-- roll_back: Undo the batch.
ROLLBACK;

-- begin_change: Mark the point to which one change of the batch can be undone alone.
SAVEPOINT change;

-- keep_change: Let the change stand in the batch.
RELEASE SAVEPOINT change;

-- undo_change: Take the change back and leave the rest of the batch alone.
ROLLBACK TO SAVEPOINT change;

-- begin_reading: Start a transaction in which several queries see one state.
BEGIN;

-- checkpoint: Bring what was logged into the database file, without waiting for readers.
PRAGMA wal_checkpoint (PASSIVE);

-- next_epoch: Make the leases of every earlier process void.
UPDATE ledger SET epoch = epoch + 1 RETURNING epoch;

-- insert_message: Record a message, unless its name is taken.
INSERT INTO message (
    id, channel, party, scope, message_key, accepted, raw_digest, mic,
    received_utc_ns, received_monotonic_ns, received_process,
    receipt_status, receipt_headers, receipt_body, headers, body
) VALUES (
    :id, :channel, :party, :scope, :message_key, :accepted, :raw_digest, :mic,
    :received_utc_ns, :received_monotonic_ns, :received_process,
    :receipt_status, :receipt_headers, :receipt_body, :headers, :body
) ON CONFLICT DO NOTHING;

-- find_message: The accepted message under a scope and key, with its receipt.
SELECT
    id, raw_digest, mic, receipt_status, receipt_headers, receipt_body,
    (SELECT group_concat(lodgement.id) FROM lodgement WHERE lodgement.message = message.id) AS lodgements
FROM message
WHERE scope = :scope AND message_key = :message_key AND accepted = 1 AND message_key IS NOT NULL;

-- message: A message by its id.
SELECT * FROM message WHERE id = :id;

-- insert_lodgement: Take a declaration in, unless one of its names is taken.
INSERT INTO lodgement (
    id, message, position, partner, channel, syntax, type, function, declarant, lrn, root, claims_lrn, state, test,
    content_digest, agencies, sender, reference, mrn, version,
    received_utc_ns, received_monotonic_ns, received_process
) VALUES (
    :id, :message, :position, :partner, :channel, :syntax, :type, :function, :declarant, :lrn, :root, :claims_lrn,
    :state, :test, :content_digest, :agencies, :sender, :reference, :mrn, :version,
    :received_utc_ns, :received_monotonic_ns, :received_process
) ON CONFLICT DO NOTHING RETURNING seq;

-- insert_content: Keep what a lodgement says.
INSERT INTO content (seq, document, declaration, findings) VALUES (:seq, :document, :declaration, :findings);

-- find_original: A partner's accepted original under a declarant's LRN; a test claims none.
SELECT * FROM lodgement JOIN content USING (seq)
WHERE partner = :partner AND declarant = :declarant AND lrn = :lrn AND claims_lrn = 1;

-- find_follow_up: What amends or cancels a lodgement with this very content.
SELECT * FROM lodgement JOIN content USING (seq)
WHERE root = :root AND content_digest = :content_digest AND root <> id AND state <> 'rejected';

-- holder_of_follow_up: Who amends or cancels a lodgement with this very content.
SELECT id FROM lodgement
WHERE root = :root AND content_digest = :content_digest AND root <> id AND state <> 'rejected';

-- later: What amends or cancels the same original as a lodgement, and came after it.
SELECT * FROM lodgement JOIN content USING (seq)
WHERE root = :root AND root <> id AND state <> 'rejected'
    AND seq > (SELECT seq FROM lodgement WHERE id = :lodgement)
ORDER BY seq;

-- find_interchange: All that is lodged under one interchange reference, in the order of its messages.
SELECT * FROM lodgement JOIN content USING (seq)
WHERE partner = :partner AND sender = :sender AND reference = :reference
    AND sender IS NOT NULL AND reference IS NOT NULL AND state <> 'rejected'
ORDER BY position;

-- holder_of_lrn: Who holds a declarant's LRN.
SELECT id FROM lodgement WHERE partner = :partner AND declarant = :declarant AND lrn = :lrn AND claims_lrn = 1;

-- holder_of_interchange: Who holds a place in a sender's interchange.
SELECT id FROM lodgement
WHERE partner = :partner AND sender = :sender AND reference = :reference AND position = :position
    AND sender IS NOT NULL AND reference IS NOT NULL AND state <> 'rejected';

-- find_lodgement: A lodgement by its id.
SELECT * FROM lodgement JOIN content USING (seq) WHERE id = :reference AND (:partner IS NULL OR partner = :partner);

-- find_by_delivery: A lodgement by the reference of one of its deliveries.
SELECT lodgement.*, content.document, content.declaration, content.findings
FROM delivery JOIN lodgement ON lodgement.id = delivery.lodgement JOIN content ON content.seq = lodgement.seq
WHERE delivery.id = :reference AND (:partner IS NULL OR lodgement.partner = :partner);

-- find_by_mrn: The accepted original under an MRN: what an agency gave before what a trader wrote; no test.
SELECT * FROM lodgement JOIN content USING (seq)
WHERE mrn = :reference AND root = id AND state <> 'rejected' AND test = 0
    AND (:partner IS NULL OR partner = :partner)
ORDER BY mrn_given DESC, seq DESC LIMIT 1;

-- find_by_lrn: The newest lodgement under an LRN, an accepted original before what followed it or was rejected.
SELECT * FROM lodgement JOIN content USING (seq)
WHERE lrn = :reference AND (:partner IS NULL OR partner = :partner)
ORDER BY claims_lrn DESC, seq DESC LIMIT 1;

-- lodgements: The newest lodgements.
SELECT * FROM lodgement JOIN content USING (seq) ORDER BY seq DESC LIMIT :limit;

-- lodgements_of_partner: The newest lodgements of one partner.
SELECT * FROM lodgement JOIN content USING (seq) WHERE partner = :partner ORDER BY seq DESC LIMIT :limit;

-- update_lodgement: Move a lodgement on, if nobody else has.
UPDATE lodgement SET
    state = :state,
    mrn = coalesce(:mrn, mrn),
    mrn_given = mrn_given OR (:mrn IS NOT NULL AND :mrn IS NOT mrn),
    version = version + 1
WHERE id = :id AND version = :expected_version;

-- insert_delivery: Queue a delivery; it heads its lane if nothing unfinished is there.
INSERT INTO delivery (id, lodgement, root, agency, state, head, due_ns, attempts, first_attempt_ns)
VALUES (
    :id, :lodgement, :root, :agency, :state,
    CASE
        WHEN EXISTS (
            SELECT 1 FROM delivery
            WHERE root = :root AND agency = :agency AND state IN ('pending', 'sending', 'awaiting', 'dead', 'mismatched')
        ) THEN 0
        ELSE 1
    END,
    :due_ns, :attempts, :first_attempt_ns
);

-- next_agency: The first agency after another in the alphabet that has a delivery waiting to be sent, due or not.
SELECT agency FROM delivery INDEXED BY delivery_due
WHERE state IN ('pending', 'awaiting') AND head = 1 AND agency > :agency ORDER BY agency LIMIT 1;

-- due_deliveries: The deliveries that one agency should be sent now, the longest due first.
SELECT seq, due_ns FROM delivery INDEXED BY delivery_due
WHERE state IN ('pending', 'awaiting') AND head = 1 AND agency = :agency AND due_ns <= :now_ns
ORDER BY due_ns, seq LIMIT :limit;

-- lapsed_deliveries: The deliveries whose worker is gone: its lease is over, or was of an earlier process.
SELECT seq, due_ns, agency FROM delivery
WHERE state = 'sending' AND head = 1
    AND (lease_until_ns IS NULL OR lease_until_ns <= :now_ns OR lease_epoch <> :epoch)
ORDER BY due_ns, seq;

-- rebase_deliveries: After the clock was set, due times no further ahead than a wait, first tries as long ago as before, leases whole.
UPDATE delivery SET
    due_ns = min(due_ns, :latest_ns),
    first_attempt_ns = min(first_attempt_ns + :ahead_ns, :now_ns),
    lease_until_ns = CASE WHEN state = 'sending' THEN :until_ns END
WHERE state IN ('pending', 'sending', 'awaiting') AND (
    state = 'sending' OR due_ns > :latest_ns OR first_attempt_ns > :now_ns
    OR (:ahead_ns > 0 AND first_attempt_ns IS NOT NULL)
);

-- waiting: How many deliveries, notifications and MDNs have still to be sent, or may have to be sent again.
SELECT
    (SELECT count(*) FROM delivery WHERE state IN ('pending', 'sending', 'awaiting'))
    + (SELECT count(*) FROM notification WHERE state IN ('pending', 'sending', 'awaiting'))
    + (SELECT count(*) FROM mdn WHERE state IN ('pending', 'sending')) AS waiting;

-- lease_delivery: Give a delivery to a worker for a time.
UPDATE delivery SET state = 'sending', lease_epoch = :epoch, lease_until_ns = :until_ns WHERE seq = :seq
RETURNING *;

-- find_delivery: A delivery by the gateway's reference.
SELECT * FROM delivery WHERE id = :id;

-- update_delivery: Move a delivery on, if it is still as it was found.
UPDATE delivery SET
    state = :state,
    due_ns = coalesce(:due_ns, due_ns),
    attempts = coalesce(:attempts, attempts),
    first_attempt_ns = coalesce(:first_attempt_ns, first_attempt_ns),
    lease_epoch = CASE WHEN :state = 'sending' THEN lease_epoch END,
    lease_until_ns = CASE WHEN :state = 'sending' THEN lease_until_ns END
WHERE id = :id AND state = :was;

-- settle_delivery_lane: Choose the head of a lane anew: what is being sent, else the first unfinished one.
UPDATE delivery SET head = 1 - head
WHERE root = :root AND agency = :agency AND state IN ('pending', 'sending', 'awaiting', 'dead', 'mismatched')
    AND head <> CASE
        WHEN seq = (
            SELECT seq FROM delivery
            WHERE root = :root AND agency = :agency AND state IN ('pending', 'sending', 'awaiting', 'dead', 'mismatched')
            ORDER BY state = 'sending' DESC, seq LIMIT 1
        ) THEN 1
        ELSE 0
    END;

-- deliveries_of_lodgement: The deliveries of one lodgement in order.
SELECT * FROM delivery WHERE lodgement = :lodgement ORDER BY seq;

-- deliveries_in_state: The deliveries of every agency that are in one state, the oldest first.
SELECT * FROM delivery WHERE state = :state ORDER BY agency, seq LIMIT :limit;

-- delivery_counts: How many deliveries each agency has in each state.
SELECT agency, state, count(*) AS deliveries FROM delivery GROUP BY state, agency ORDER BY agency, state;

-- next_number: Take the next number of a partner's log.
INSERT INTO trader_log (partner, last_number) VALUES (:partner, 1)
ON CONFLICT (partner) DO UPDATE SET last_number = trader_log.last_number + 1
RETURNING last_number;

-- insert_notification: Write an entry of a trader's log; it heads the lane if nothing unfinished is there.
INSERT INTO notification (
    id, partner, number, lodgement, kind, content_type, state, head, due_ns, attempts, first_attempt_ns,
    decision_version, created_utc_ns, created_monotonic_ns, created_process, body
) VALUES (
    :id, :partner, :number, :lodgement, :kind, :content_type, :state,
    CASE
        WHEN EXISTS (
            SELECT 1 FROM notification WHERE partner = :partner AND state IN ('pending', 'sending', 'awaiting')
        ) THEN 0
        ELSE 1
    END,
    :due_ns, :attempts, :first_attempt_ns,
    :decision_version, :created_utc_ns, :created_monotonic_ns, :created_process, :body
);

-- due_notifications: The notifications that should be pushed now, the longest due first.
SELECT seq, due_ns FROM notification
WHERE state IN ('pending', 'awaiting') AND head = 1 AND due_ns <= :now_ns
ORDER BY due_ns, seq LIMIT :limit;

-- lapsed_notifications: The notifications whose worker is gone: its lease is over, or was of an earlier process.
SELECT seq, due_ns FROM notification
WHERE state = 'sending' AND head = 1
    AND (lease_until_ns IS NULL OR lease_until_ns <= :now_ns OR lease_epoch <> :epoch)
ORDER BY due_ns, seq;

-- rebase_notifications: The same for notifications.
UPDATE notification SET
    due_ns = min(due_ns, :latest_ns),
    first_attempt_ns = min(first_attempt_ns + :ahead_ns, :now_ns),
    lease_until_ns = CASE WHEN state = 'sending' THEN :until_ns END
WHERE state IN ('pending', 'sending', 'awaiting') AND (
    state = 'sending' OR due_ns > :latest_ns OR first_attempt_ns > :now_ns
    OR (:ahead_ns > 0 AND first_attempt_ns IS NOT NULL)
);

-- lease_notification: Give a notification to a worker for a time.
UPDATE notification SET state = 'sending', lease_epoch = :epoch, lease_until_ns = :until_ns WHERE seq = :seq
RETURNING *;

-- find_notification: A notification by its id.
SELECT * FROM notification WHERE id = :id;

-- update_notification: Move a notification on, if it is still as it was found.
UPDATE notification SET
    state = :state,
    due_ns = coalesce(:due_ns, due_ns),
    attempts = coalesce(:attempts, attempts),
    first_attempt_ns = coalesce(:first_attempt_ns, first_attempt_ns),
    lease_epoch = CASE WHEN :state = 'sending' THEN lease_epoch END,
    lease_until_ns = CASE WHEN :state = 'sending' THEN lease_until_ns END
WHERE id = :id AND state = :was;

-- settle_notification_lane: Choose the head of a lane anew: what is being pushed, else the lowest number.
UPDATE notification SET head = 1 - head
WHERE partner = :partner AND state IN ('pending', 'sending', 'awaiting')
    AND head <> CASE
        WHEN seq = (
            SELECT seq FROM notification
            WHERE partner = :partner AND state IN ('pending', 'sending', 'awaiting')
            ORDER BY state = 'sending' DESC, number LIMIT 1
        ) THEN 1
        ELSE 0
    END;

-- notifications: A partner's log above a number.
SELECT * FROM notification WHERE partner = :partner AND number > :after ORDER BY number LIMIT :limit;

-- notifications_in_state: The notifications of every log that are in one state that waits for a person, the oldest first.
SELECT * FROM notification WHERE state = :state AND state IN ('dead', 'mismatched') ORDER BY seq LIMIT :limit;

-- last_notification: The highest number that speaks of a lodgement.
SELECT max(number) AS number FROM notification WHERE lodgement = :lodgement;

-- insert_mdn: Queue the receipt of a message, to be posted to its sender.
INSERT INTO mdn (id, message, party, url, state, due_ns, attempts, first_attempt_ns, once)
VALUES (:id, :message, :party, :url, :state, :due_ns, :attempts, :first_attempt_ns, :once);

-- next_mdn_party: The first party after another in the alphabet that has an MDN waiting, due or not.
SELECT party FROM mdn INDEXED BY mdn_due WHERE state = 'pending' AND party > :party ORDER BY party LIMIT 1;

-- due_mdns: The MDNs that should be posted to one party now, the longest due first.
SELECT seq, due_ns, message FROM mdn INDEXED BY mdn_due
WHERE state = 'pending' AND party = :party AND due_ns <= :now_ns
ORDER BY due_ns, seq LIMIT :limit;

-- lapsed_mdns: The MDNs whose worker is gone: its lease is over, or was of an earlier process.
SELECT seq, due_ns, party FROM mdn
WHERE state = 'sending' AND (lease_until_ns IS NULL OR lease_until_ns <= :now_ns OR lease_epoch <> :epoch)
ORDER BY seq;

-- rebase_mdns: The same for MDNs.
UPDATE mdn SET
    due_ns = min(due_ns, :latest_ns),
    first_attempt_ns = min(first_attempt_ns + :ahead_ns, :now_ns),
    lease_until_ns = CASE WHEN state = 'sending' THEN :until_ns END
WHERE state IN ('pending', 'sending') AND (
    state = 'sending' OR due_ns > :latest_ns OR first_attempt_ns > :now_ns
    OR (:ahead_ns > 0 AND first_attempt_ns IS NOT NULL)
);

-- lease_mdn: Give an MDN to a worker for a time.
UPDATE mdn SET state = 'sending', lease_epoch = :epoch, lease_until_ns = :until_ns WHERE seq = :seq
RETURNING *;

-- find_mdn: An MDN by its id, or by that of the message it is the receipt of.
SELECT * FROM mdn WHERE id = :reference OR message = :reference;

-- receipt: What the sender of a message was answered.
SELECT receipt_status, receipt_headers, receipt_body FROM message WHERE id = :id;

-- mdns_in_state: The MDNs that are in one state, the oldest first.
SELECT * FROM mdn WHERE state = :state ORDER BY seq LIMIT :limit;

-- update_mdn: Move an MDN on, if it is still as it was found.
UPDATE mdn SET
    state = :state,
    url = coalesce(:url, url),
    due_ns = coalesce(:due_ns, due_ns),
    attempts = coalesce(:attempts, attempts),
    first_attempt_ns = coalesce(:first_attempt_ns, first_attempt_ns),
    lease_epoch = CASE WHEN :state = 'sending' THEN lease_epoch END,
    lease_until_ns = CASE WHEN :state = 'sending' THEN lease_until_ns END
WHERE id = :id AND state = :was;

-- insert_attachment: Keep a supporting document.
INSERT INTO attachment (message, position, filename, content_type, digest, body)
VALUES (:message, :position, :filename, :content_type, :digest, :body);

-- attachments: The supporting documents that came in a message, in order.
SELECT * FROM attachment WHERE message = :message ORDER BY position;

-- attached: What the supporting documents of a message are, without what is in them.
SELECT message, position, filename, content_type, digest, length(body) AS octets
FROM attachment WHERE message = :message ORDER BY position;

-- insert_wire: Keep an outgoing message before it is sent.
INSERT INTO wire (owner, message_id, url, headers, mic, body)
VALUES (:owner, :message_id, :url, :headers, :mic, :body);

-- find_wire: The outgoing message of a delivery or a notification.
SELECT * FROM wire WHERE owner = :owner ORDER BY seq DESC LIMIT 1;

-- insert_answer: Record what an agency said.
INSERT INTO answer (
    delivery, lodgement, agency, outcome, received_utc_ns, received_monotonic_ns, received_process, response
) VALUES (
    :delivery, :lodgement, :agency, :outcome, :received_utc_ns, :received_monotonic_ns, :received_process, :response
);

-- answers: What the agencies said of a lodgement, in order.
SELECT * FROM answer WHERE lodgement = :lodgement ORDER BY seq;

-- insert_decision: Record a version of the decision, unless it exists.
INSERT INTO decision (
    lodgement, version, outcome, decided_utc_ns, decided_monotonic_ns, decided_process, reasons
) VALUES (
    :lodgement, :version, :outcome, :decided_utc_ns, :decided_monotonic_ns, :decided_process, :reasons
) ON CONFLICT DO NOTHING;

-- decisions: The versions of a lodgement's decision, in order.
SELECT * FROM decision WHERE lodgement = :lodgement ORDER BY version;

-- insert_event: Add to the history.
INSERT INTO event (kind, lodgement, message, at_utc_ns, at_monotonic_ns, at_process, data)
VALUES (:kind, :lodgement, :message, :at_utc_ns, :at_monotonic_ns, :at_process, :data);

-- received: What was said of a lodgement when it was received.
SELECT data FROM event WHERE lodgement = :lodgement AND kind = 'received' ORDER BY number LIMIT 1;

-- events: The history above a number.
SELECT * FROM event WHERE number > :after ORDER BY number LIMIT :limit;

-- events_of_message: The history of one message above a number, as far as it is that of no lodgement.
SELECT * FROM event
WHERE message = :message AND message IS NOT NULL AND lodgement IS NULL AND number > :after
ORDER BY number LIMIT :limit;

-- events_of_lodgement: The history of one lodgement above a number.
SELECT * FROM event WHERE lodgement = :lodgement AND number > :after ORDER BY number LIMIT :limit;
