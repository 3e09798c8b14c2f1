//! The ledger's tables. What must never be is a constraint here, so that no mistake in the code can write it.

/// Marks a SQLite file as a ledger: `sycl` in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x7379_636c;

/// The format that this version writes; the number of migrations.
pub(super) const FORMAT: i32 = 3;

/// What leads from one format to the next, the first from an empty file.
pub(super) const MIGRATIONS: [&str; 3] = [FIRST, PEOPLE, WHO_CLOSED];

const FIRST: &str = "
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    started TEXT NOT NULL,
    ended TEXT,
    exit_code INTEGER,
    summary TEXT
) STRICT;

-- One row per group of items that has a ticket, or had one asked for.
CREATE TABLE ticket (
    group_id TEXT PRIMARY KEY,
    source TEXT NOT NULL CHECK (source IN ('data-theorem', 'mend')),
    op TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('intended', 'in-doubt', 'refused', 'made', 'lost')),
    key TEXT,
    -- Taken over from the vendor's link instead of made by this ledger.
    is_adopted INTEGER NOT NULL DEFAULT 0 CHECK (is_adopted IN (0, 1)),
    told TEXT CHECK (told IN ('open', 'closed')),
    tried_at TEXT NOT NULL,
    unseen_runs INTEGER NOT NULL DEFAULT 0,
    CHECK ((key IS NOT NULL) = (state IN ('made', 'lost')))
) STRICT, WITHOUT ROWID;
-- A ticket that the client made belongs to one group.
CREATE UNIQUE INDEX ticket_key ON ticket (key) WHERE is_adopted = 0 AND state = 'made';
CREATE INDEX ticket_unsettled ON ticket (state) WHERE state IN ('intended', 'in-doubt');

-- Keys that a ticket had before it was moved.
CREATE TABLE former_key (
    key TEXT NOT NULL,
    group_id TEXT NOT NULL REFERENCES ticket (group_id),
    PRIMARY KEY (key, group_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE item (
    id TEXT PRIMARY KEY,
    group_id TEXT NOT NULL REFERENCES ticket (group_id),
    scope TEXT NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('open', 'closed', 'unknown')),
    status TEXT NOT NULL,
    -- What the client needs to ask the vendor about it later, e.g. a library's key.
    reference TEXT NOT NULL DEFAULT '',
    -- The ticket that the vendor was told last.
    linked TEXT,
    absences INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX item_of_group ON item (group_id);
CREATE INDEX item_of_scope ON item (scope);

CREATE TABLE scope (
    id TEXT PRIMARY KEY,
    source TEXT NOT NULL CHECK (source IN ('data-theorem', 'mend')),
    -- Everything up to here was handled, by the vendor's clock.
    mark TEXT,
    full_at TEXT,
    is_due INTEGER NOT NULL DEFAULT 0 CHECK (is_due IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX scope_due ON scope (source) WHERE is_due = 1;

CREATE TABLE happening (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    run INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX happening_of_group ON happening (group_id);
";

/// What is needed to tell people's decisions from the client's own changes, and an interrupted change from none.
const PEOPLE: &str = "
-- The client is telling the ticket something, or was when it was interrupted: how the ticket is, is not known.
ALTER TABLE ticket ADD COLUMN is_telling INTEGER NOT NULL DEFAULT 0 CHECK (is_telling IN (0, 1));
-- Whether the ticket was done when the client left it; NULL: not known, and so nothing may be concluded from how it is.
ALTER TABLE ticket ADD COLUMN left_done INTEGER CHECK (left_done IN (0, 1));
-- People may have decided something about the ticket that is not carried out yet.
ALTER TABLE ticket ADD COLUMN is_unheard INTEGER NOT NULL DEFAULT 0 CHECK (is_unheard IN (0, 1));
-- The last run that could not see the ticket.
ALTER TABLE ticket ADD COLUMN unseen_run INTEGER;
CREATE INDEX ticket_unheard ON ticket (is_unheard) WHERE is_unheard = 1;
-- The status that the vendor was told the item's ticket has, where it wants to know.
ALTER TABLE item ADD COLUMN reported TEXT;

-- How far the tracker's changes were read.
CREATE TABLE tracker_mark (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    at TEXT NOT NULL
) STRICT;
";

/// What is needed to act upon a word that people correct later.
const WHO_CLOSED: &str = "
-- It was people who closed the ticket; of use where left_done = 1.
ALTER TABLE ticket ADD COLUMN closed_by_people INTEGER NOT NULL DEFAULT 0 CHECK (closed_by_people IN (0, 1));
";
