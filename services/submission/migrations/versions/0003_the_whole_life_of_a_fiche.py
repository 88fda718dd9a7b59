"""The whole life of a fiche: what is prepared before it is filed, every content kept, what becomes of it in the end."""

from alembic import op

from shared.messaging.schema import tenant_table_v1
from shared.principals_schema import principals_v2

revision = "0003"
down_revision = "0002"

_SERVICES = ("submission", "validation", "publication", "analytics")

_STATUSES = """
ALTER TABLE fiche DROP CONSTRAINT fiche_status_check,
  ADD CONSTRAINT fiche_status_check CHECK (status IN ('preprogrammed', 'draft', 'submitted', 'to_complete', 'to_adapt',
    'avis_lapsed', 'validated', 'confirmed', 'reviewed', 'refused', 'withdrawn', 'cancelled')),
  ALTER COLUMN first_start DROP NOT NULL,
  ADD COLUMN filed boolean NOT NULL DEFAULT true,
  ADD CONSTRAINT fiche_filed_has_a_start CHECK (NOT filed OR first_start IS NOT NULL),
  ADD CONSTRAINT fiche_prepared_or_filed CHECK (filed = (status NOT IN ('preprogrammed', 'draft')) OR status = 'withdrawn'),
  ADD COLUMN programme_year int,
  ADD COLUMN rome text,
  ADD COLUMN formacode text,
  ADD COLUMN insee text,
  ADD COLUMN zone_emploi text,
  ADD COLUMN intended boolean NOT NULL DEFAULT false,
  ADD COLUMN due_on date
"""
_SEARCHED = """
UPDATE fiche SET programme_year = (document->'content'->>'programme_year')::int, rome = document->'content'->>'rome',
  formacode = document->'content'->'formacodes'->>0, insee = document->'content'->'place'->>'insee',
  zone_emploi = document->'content'->'place'->>'zone_emploi'
"""
# as services/submission/domain/expectations.py says it of what was there before
_DUE = """
UPDATE fiche SET due_on = CASE status
  WHEN 'to_complete' THEN (document->>'avis_due_on')::date
  WHEN 'to_adapt' THEN (document->'proposal'->>'expires_on')::date
  WHEN 'validated' THEN first_start
  WHEN 'confirmed' THEN (SELECT min((plan->>'start')::date) FROM jsonb_array_elements(document->'content'->'sessions') plan
    WHERE document->'sessions'->(plan->>'number')->>'state' IN ('planned', 'postponed'))
  END
"""
# what is prepared is its OPCO's own business until it is filed; an intention is announced to be seen (minutes L384-391)
_DRAFTS = """
CREATE POLICY drafts ON fiche AS RESTRICTIVE FOR SELECT TO submission USING (filed OR intended
  OR current_setting('poec.tenant', true) = opco OR current_setting('poec.principal', true) LIKE 'submission:%')
"""
_VERSION = """
CREATE TABLE fiche_version (
  fiche_id uuid NOT NULL,
  revision int NOT NULL CHECK (revision >= 1),
  opco text NOT NULL,
  action text NOT NULL,
  actor text NOT NULL,
  kept_at timestamptz NOT NULL,
  acknowledged jsonb NOT NULL,
  content jsonb NOT NULL,
  PRIMARY KEY (fiche_id, revision)
)
"""
# of a fiche filed before contents were kept, only the one it has now is known
_KNOWN_CONTENTS = """
INSERT INTO fiche_version (fiche_id, revision, opco, action, actor, kept_at, acknowledged, content)
SELECT id, revision, opco, 'migration', 'migration', submitted_at, coalesce(document->'acknowledged', '[]'),
 document->'content' FROM fiche
"""

# files of fiches on their way in: kept until their report has been read, then removed by retention alone
_IMPORTS = """
CREATE TABLE fiche_import (
  id uuid PRIMARY KEY,
  opco text NOT NULL,
  principal text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('xlsx', 'csv', 'json')),
  acknowledged jsonb NOT NULL,
  fiches int NOT NULL CHECK (fiches >= 1),
  state text NOT NULL CHECK (state IN ('running', 'done', 'stopped')),
  received_at timestamptz NOT NULL,
  finished_at timestamptz,
  accepted int NOT NULL DEFAULT 0,
  unchanged int NOT NULL DEFAULT 0,
  warned int NOT NULL DEFAULT 0,
  refused int NOT NULL DEFAULT 0,
  CHECK ((state = 'running') = (finished_at IS NULL)),
  CHECK (least(accepted, unchanged, warned, refused) >= 0 AND accepted + unchanged + warned + refused <= fiches)
);
CREATE TABLE fiche_import_line (
  import_id uuid NOT NULL REFERENCES fiche_import ON DELETE CASCADE,
  n int NOT NULL CHECK (n >= 1),
  opco text NOT NULL,
  line int NOT NULL,
  reference text,
  document text,
  objections jsonb NOT NULL,
  outcome text CHECK (outcome IN ('accepted', 'unchanged', 'warned', 'refused')),
  fiche_id uuid,
  done_at timestamptz,
  PRIMARY KEY (import_id, n),
  CHECK ((outcome IS NULL) = (done_at IS NULL))
);
CREATE INDEX fiche_import_newest ON fiche_import (received_at, id);
CREATE INDEX fiche_import_running ON fiche_import (id) WHERE state = 'running';
CREATE INDEX fiche_import_line_waiting ON fiche_import_line (import_id, n) WHERE outcome IS NULL;
CREATE INDEX fiche_import_line_outcome ON fiche_import_line (import_id, outcome, n)"""


def _imports() -> None:
    for statement in _IMPORTS.split(";\n"):
        op.execute(statement)
    for table in ("fiche_import", "fiche_import_line"):
        tenant_table_v1(op, "submission", table)
        op.execute(f"GRANT DELETE ON {table} TO submission")
        op.execute(
            f"CREATE POLICY removed ON {table} AS RESTRICTIVE FOR DELETE TO submission"
            " USING (current_setting('poec.principal', true) = 'submission:retention')"
        )


# what the conference decides is everybody's to read and written by those who see all rows; the policy table says which of them
_YEARBOOK = (
    """
CREATE TABLE campaign (
  id uuid PRIMARY KEY,
  version int NOT NULL,
  sequence bigint NOT NULL,
  audit_hash text NOT NULL,
  status text NOT NULL CHECK (status = 'open'),
  year int NOT NULL,
  quarter int NOT NULL CHECK (quarter BETWEEN 1 AND 4),
  opens_on date NOT NULL,
  deadline date NOT NULL CHECK (deadline >= opens_on),
  extensions jsonb NOT NULL,
  document jsonb NOT NULL,
  UNIQUE (year, quarter)
)""",
    """
CREATE TABLE conference (
  id uuid PRIMARY KEY,
  version int NOT NULL,
  sequence bigint NOT NULL,
  audit_hash text NOT NULL,
  status text NOT NULL CHECK (status = 'recorded'),
  held_on date NOT NULL UNIQUE,
  document jsonb NOT NULL
)""",
    """
CREATE TABLE programme (
  id uuid PRIMARY KEY,
  version int NOT NULL,
  sequence bigint NOT NULL,
  audit_hash text NOT NULL,
  status text NOT NULL CHECK (status = 'adopted'),
  year int NOT NULL UNIQUE,
  targets jsonb NOT NULL,
  document jsonb NOT NULL
)""",
)
_TOLD_BY_OPCOS = (
    """
CREATE TABLE delivery (
  id uuid PRIMARY KEY,
  version int NOT NULL,
  sequence bigint NOT NULL,
  audit_hash text NOT NULL,
  status text NOT NULL CHECK (status = 'delivered'),
  opco text NOT NULL,
  year int NOT NULL,
  month text NOT NULL CHECK (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
  delivered_at timestamptz NOT NULL,
  estimates jsonb NOT NULL,
  document jsonb NOT NULL,
  UNIQUE (year, opco, month)
)""",
    """
CREATE TABLE declaration (
  id uuid PRIMARY KEY,
  version int NOT NULL,
  sequence bigint NOT NULL,
  audit_hash text NOT NULL,
  status text NOT NULL CHECK (status = 'declared'),
  opco text NOT NULL,
  year int NOT NULL,
  as_of date NOT NULL,
  number int NOT NULL CHECK (number >= 0),
  source text NOT NULL,
  document jsonb NOT NULL,
  UNIQUE (year, opco)
)""",
)
_ANYBODY = "coalesce(current_setting('poec.tenant', true), '') <> ''"
_ALL_ROWS = "current_setting('poec.tenant', true) = '*'"


_TEMPLATE = """
CREATE TABLE form_template (
  id uuid PRIMARY KEY,
  version int NOT NULL,
  sequence bigint NOT NULL,
  audit_hash text NOT NULL,
  opco text NOT NULL,
  status text NOT NULL CHECK (status IN ('saved', 'deleted')),
  name text NOT NULL,
  saved_at timestamptz NOT NULL,
  document jsonb NOT NULL,
  UNIQUE (opco, name)
)"""


def _yearbook() -> None:
    """Make the tables beside the fiches: what the conference decides, what OPCOs tell of a year."""
    for statement in (*_YEARBOOK, *_TOLD_BY_OPCOS):
        op.execute(statement)
    for table in ("campaign", "conference", "programme"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO submission")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY read ON {table} FOR SELECT TO submission USING ({_ANYBODY})")
        op.execute(f"CREATE POLICY add ON {table} FOR INSERT TO submission WITH CHECK ({_ALL_ROWS})")
        op.execute(
            f"CREATE POLICY change ON {table} FOR UPDATE TO submission USING ({_ALL_ROWS}) WITH CHECK ({_ALL_ROWS})"
        )
        op.execute(f"CREATE POLICY owner ON {table} TO submission_owner USING (true) WITH CHECK (true)")
    for table in ("delivery", "declaration"):
        tenant_table_v1(op, "submission", table)


# everybody reads the directory; those who see every row write it, and of these the policy table lets the Région alone
_PARTNER = """
CREATE TABLE partner (
  id uuid PRIMARY KEY,
  version int NOT NULL,
  sequence bigint NOT NULL,
  audit_hash text NOT NULL,
  status text NOT NULL CHECK (status IN ('active', 'retired')),
  code text NOT NULL UNIQUE,
  kind text NOT NULL,
  zones jsonb NOT NULL,
  words text NOT NULL,
  document jsonb NOT NULL
)
"""


def _directory() -> None:
    somebody = "coalesce(current_setting('poec.tenant', true), '') <> ''"
    all_rows = "current_setting('poec.tenant', true) = '*'"
    op.execute(_PARTNER)
    op.execute("CREATE INDEX partner_zones ON partner USING gin (zones)")
    op.execute("GRANT SELECT, INSERT, UPDATE ON partner TO submission")
    op.execute("ALTER TABLE partner ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE partner FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY seen ON partner FOR SELECT TO submission USING ({somebody})")
    op.execute(f"CREATE POLICY added ON partner FOR INSERT TO submission WITH CHECK ({all_rows})")
    op.execute(f"CREATE POLICY changed ON partner FOR UPDATE TO submission USING ({all_rows}) WITH CHECK ({all_rows})")
    op.execute("CREATE POLICY owner ON partner TO submission_owner USING (true) WITH CHECK (true)")


def upgrade() -> None:
    """Make room for what is prepared and for every content; what is there already keeps its meaning."""
    principals_v2(op, _SERVICES)
    op.execute(_STATUSES)
    op.execute(_SEARCHED)
    op.execute(_DUE)
    op.execute("CREATE INDEX fiche_alike ON fiche (opco, insee, first_start)")
    op.execute(
        "CREATE INDEX fiche_by_due_day ON fiche (opco, coalesce(due_on, '9000-01-01'), submitted_at DESC, id DESC)"
    )
    op.execute("CREATE INDEX fiche_by_year ON fiche (programme_year, opco)")
    op.execute("CREATE INDEX fiche_prepared ON fiche (opco) WHERE status IN ('preprogrammed', 'draft')")
    op.execute(_DRAFTS)
    op.execute(_VERSION)
    op.execute(_KNOWN_CONTENTS)
    op.execute("GRANT SELECT, INSERT ON fiche_version TO submission")
    op.execute("ALTER TABLE fiche_version ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE fiche_version FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON fiche_version TO submission USING (current_setting('poec.tenant', true) IN ('*', opco))"
        " WITH CHECK (current_setting('poec.tenant', true) IN ('*', opco))"
    )
    op.execute("CREATE POLICY owner ON fiche_version TO submission_owner USING (true) WITH CHECK (true)")
    _imports()
    _yearbook()
    _directory()
    op.execute(_TEMPLATE)
    tenant_table_v1(op, "submission", "form_template")
