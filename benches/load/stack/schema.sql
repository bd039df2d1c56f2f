-- The portal's tables, and a past that its pages read from.
-- psql variables: budget, contractors, decisions.

CREATE TABLE programme (
    id       int PRIMARY KEY,
    title    text NOT NULL,
    received bigint NOT NULL DEFAULT 0,
    budget   numeric(14, 2) NOT NULL
);
-- The hot row: every application locks it, takes its number and its share.
INSERT INTO programme VALUES (1, 'Home renovation grant', 0, :budget);

CREATE TABLE session (
    id      text PRIMARY KEY,
    begun   timestamptz NOT NULL DEFAULT now(),
    seen    timestamptz NOT NULL DEFAULT now(),
    -- Pages handed in, and the number of the application once there is one.
    page    int NOT NULL DEFAULT 0,
    answers jsonb NOT NULL DEFAULT '{}',
    number  bigint
);

-- Every form page that was handed in; the token is its idempotency key.
CREATE TABLE handed_in (
    token   text PRIMARY KEY,
    session text NOT NULL REFERENCES session,
    page    int NOT NULL,
    posts   int NOT NULL DEFAULT 1
);

CREATE TABLE application (
    number    bigint PRIMARY KEY,
    session   text NOT NULL UNIQUE REFERENCES session,
    reference text NOT NULL,
    answers   jsonb NOT NULL,
    received  timestamptz NOT NULL DEFAULT now()
);

-- Requests whose page was made. A sequence is never waited for.
CREATE SEQUENCE served;

CREATE TABLE contractor (
    id     int PRIMARY KEY,
    name   text NOT NULL,
    town   int NOT NULL,
    north  double precision NOT NULL,
    east   double precision NOT NULL,
    rating double precision NOT NULL
);
INSERT INTO contractor
SELECT n, 'Contractor ' || n, n % 400, random() * 100, random() * 100, 1 + random() * 4
FROM generate_series(1, :contractors) AS n;

CREATE TABLE decision (
    id      int PRIMARY KEY,
    town    int NOT NULL,
    decided date NOT NULL,
    granted boolean NOT NULL,
    amount  numeric(9, 2) NOT NULL
);
INSERT INTO decision
SELECT n, (random() * 399)::int, date '2025-01-01' + (random() * 600)::int,
       random() < 0.7, 500 + random() * 4500
FROM generate_series(1, :decisions) AS n;
CREATE INDEX ON decision (town, decided);

ANALYZE;
