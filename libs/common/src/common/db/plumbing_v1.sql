CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_outbox PRIMARY KEY,
    message_id uuid NOT NULL CONSTRAINT uq_outbox_message_id UNIQUE,
    type text NOT NULL,
    version integer NOT NULL,
    routing_key text NOT NULL,
    organization_id uuid,
    aggregate_id uuid,
    aggregate_version bigint,
    body bytea NOT NULL,
    headers jsonb NOT NULL,
    causation_id uuid,
    created_at timestamptz NOT NULL,
    published_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    last_error text
);
CREATE INDEX ix_outbox_unpublished ON outbox (seq) WHERE published_at IS NULL;
CREATE INDEX ix_outbox_put_off ON outbox (aggregate_id, seq)
    WHERE published_at IS NULL AND next_attempt_at IS NOT NULL;
CREATE INDEX ix_outbox_causation_id ON outbox (causation_id);
CREATE INDEX ix_outbox_organization_id_seq ON outbox (organization_id, seq);

CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('outbox', '');
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_notify AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox();

CREATE TABLE inbox (
    consumer text NOT NULL,
    message_id uuid NOT NULL,
    type text NOT NULL,
    organization_id uuid,
    handled_at timestamptz NOT NULL,
    CONSTRAINT pk_inbox PRIMARY KEY (consumer, message_id)
);
CREATE INDEX ix_inbox_handled_at ON inbox (handled_at);

CREATE TABLE dead_letter (
    id uuid CONSTRAINT pk_dead_letter PRIMARY KEY,
    consumer text NOT NULL,
    message_id uuid NOT NULL,
    type text NOT NULL,
    organization_id uuid,
    envelope jsonb NOT NULL,
    body bytea NOT NULL,
    error text NOT NULL,
    attempts integer NOT NULL,
    died_at timestamptz NOT NULL,
    replayed_at timestamptz,
    dropped_at timestamptz
);

CREATE TABLE idempotency_key (
    scope text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    status integer,
    headers jsonb,
    body bytea,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_idempotency_key PRIMARY KEY (scope, key)
);
CREATE INDEX ix_idempotency_key_created_at ON idempotency_key (created_at);

CREATE TABLE organization (
    id uuid CONSTRAINT pk_organization PRIMARY KEY,
    slug text NOT NULL CONSTRAINT uq_organization_slug UNIQUE,
    name text NOT NULL,
    country char(2) NOT NULL,
    currency char(3) NOT NULL,
    timezone text NOT NULL,
    language text NOT NULL DEFAULT 'en',
    mode text NOT NULL,
    profile jsonb NOT NULL DEFAULT '{}',
    clock_now timestamptz,
    version bigint NOT NULL,
    clock_version bigint NOT NULL DEFAULT 0
);

CREATE TABLE signing_key (
    kid text CONSTRAINT pk_signing_key PRIMARY KEY,
    public_key text NOT NULL,
    not_after timestamptz
);

CREATE TABLE audit_log (
    id uuid CONSTRAINT pk_audit_log PRIMARY KEY,
    organization_id uuid NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    actor_role text,
    address text,
    action text NOT NULL,
    subject text NOT NULL,
    changes jsonb NOT NULL,
    trace_id text
);
CREATE INDEX ix_audit_log_organization_id_at ON audit_log (organization_id, at);
