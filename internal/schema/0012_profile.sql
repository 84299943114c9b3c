-- +goose Up

-- Authentication profiles: what somebody answers to sign in, and for how long an answer stands on a device.
CREATE TABLE profile (
    tenant     {{key}} NOT NULL,
    id         {{key}} NOT NULL,
    name       {{text}} NOT NULL,
    name_key   {{key}} NOT NULL,
    challenges {{text}} NOT NULL, -- mechanisms: rounds with semicolons between, alternatives with commas
    single     {{text}} NOT NULL, -- mechanisms that suffice alone, with commas between
    minutes    BIGINT NOT NULL, -- for which the second round stands; 0: it does not
    questions  BIGINT NOT NULL, -- security questions that are asked; 0: as the tenant has it
    created    {{ms}} NOT NULL,
    changed    {{ms}} NOT NULL,
    revision   BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX profile_name ON profile (tenant, name_key);

-- What every tenant begins with (core/profile, BuiltIn), for those that there are.
INSERT INTO profile (tenant, id, name, name_key, challenges, single, minutes, questions, created, changed, revision)
SELECT id, 'c3a4b6c1-6f0e-4d4b-9d1b-0c5e0a6f2d01', 'Default New Device Login Profile', 'default new device login profile', 'UP;OTP,SMS,EMAIL,OATH', '', 720, 0, created, created, 1 FROM tenant;
INSERT INTO profile (tenant, id, name, name_key, challenges, single, minutes, questions, created, changed, revision)
SELECT id, 'c3a4b6c1-6f0e-4d4b-9d1b-0c5e0a6f2d02', 'Default Other Login Profile', 'default other login profile', 'UP', '', 720, 0, created, created, 1 FROM tenant;
INSERT INTO profile (tenant, id, name, name_key, challenges, single, minutes, questions, created, changed, revision)
SELECT id, 'c3a4b6c1-6f0e-4d4b-9d1b-0c5e0a6f2d03', 'Default Password Reset Profile', 'default password reset profile', 'OTP,SMS,EMAIL,OATH', '', 720, 0, created, created, 1 FROM tenant;

-- The second rounds that people have passed on devices they are known on. It goes with the device.
CREATE TABLE device_pass (
    tenant   {{key}} NOT NULL,
    user_id  {{key}} NOT NULL,
    hash     {{blob}} NOT NULL, -- of the device cookie
    profile  {{key}} NOT NULL,
    revision BIGINT NOT NULL, -- of the profile: one that was changed since is passed anew
    at       {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id, hash, profile),
    FOREIGN KEY (tenant, user_id, hash) REFERENCES known_device (tenant, user_id, hash) ON DELETE CASCADE
);
