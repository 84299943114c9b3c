// @simplewebauthn/server judges the ceremonies that Limen judges: an authenticator of our own answers each of them, rightly and with one
// thing wrong at a time, and both must come to the same end.
import { strict as assert } from 'node:assert'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import { ask, LIMEN_ADMIN, LIMEN_URL, session, trying } from './common.mjs'

const origin = LIMEN_URL.replace('127.0.0.1', 'localhost') // addresses are no relying parties
const rp = 'localhost'
const password = 'Walk-the-long-way-7'
const b64 = (b) => Buffer.from(b).toString('base64url')
const sha256 = (b) => createHash('sha256').update(b).digest()

// call calls an operation at the page's host, and gives its whole answer.
async function call(path, body, token) {
  const headers = { 'Content-Type': 'application/json', 'X-IDAP-NATIVE-CLIENT': 'true', Origin: origin }
  if (token) headers.Authorization = `Bearer ${token}`
  return (await fetch(origin + path, { method: 'POST', headers, body: JSON.stringify(body) })).json()
}

// an authenticator with a key of P-256.
function authenticator() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x, y } = publicKey.export({ format: 'jwk' })
  const cose = Buffer.concat([Buffer.from('a5010203262001215820', 'hex'), Buffer.from(x, 'base64url'), Buffer.from('225820', 'hex'), Buffer.from(y, 'base64url')])
  return { id: Buffer.from(crypto.getRandomValues(new Uint8Array(32))), privateKey, cose, count: 1 }
}

// data is authenticator data; wrong replaces what it says.
function data(a, wrong, attested) {
  const flags = wrong.flags ?? 0x0d // present, verified, may be copied
  const count = Buffer.alloc(4)
  count.writeUInt32BE(a.count)
  const parts = [sha256(wrong.rp ?? rp), Buffer.from([flags | (attested ? 0x40 : 0)]), count]
  if (attested) parts.push(Buffer.alloc(16), Buffer.from([0, a.id.length]), a.id, a.cose)
  return Buffer.concat(parts)
}

const client = (type, challenge, wrong) =>
  Buffer.from(JSON.stringify({ type: wrong.type ?? type, challenge: wrong.challenge ?? challenge, origin: wrong.origin ?? origin, crossOrigin: wrong.crossOrigin ?? false }))

function create(a, options, wrong = {}) {
  const auth = data(a, wrong, true)
  const object = Buffer.concat([
    Buffer.from('a363666d74646e6f6e656761747453746d74a0686175746844617461', 'hex'), Buffer.from([0x58, auth.length]), auth,
  ])
  return {
    id: b64(a.id), rawId: b64(a.id), type: 'public-key', clientExtensionResults: {},
    response: { clientDataJSON: b64(client('webauthn.create', options.challenge, wrong)), attestationObject: b64(object), transports: ['internal'] },
  }
}

function get(a, options, wrong = {}) {
  const auth = data(a, wrong)
  const c = client('webauthn.get', options.challenge, wrong)
  const signature = sign('sha256', Buffer.concat([auth, sha256(c)]), wrong.key ?? a.privateKey)
  return {
    id: b64(a.id), rawId: b64(a.id), type: 'public-key', clientExtensionResults: {},
    response: { clientDataJSON: b64(c), authenticatorData: b64(auth), signature: b64(signature) },
  }
}

// holds says whether the other verifier takes something.
async function holds(f) {
  try {
    return (await f()).verified
  } catch {
    return false
  }
}

let people = 0

// person makes somebody and signs them in.
async function person() {
  const name = `keys${++people}@${LIMEN_ADMIN.split('@')[1]}`
  await ask('/CDirectoryService/CreateUser', { Name: name, Mail: `${name.split('@')[0]}@example.com`, Password: password }, session)
  return { name, ...(await proved(name)) }
}

// proved signs in by the password as far as it goes.
async function proved(name) {
  const { Result: p } = await call('/Security/StartAuthentication', { User: name, Version: '1.0' })
  const { Result: r } = await call('/Security/AdvanceAuthentication', {
    SessionId: p.SessionId, MechanismId: p.Challenges[0].Mechanisms[0].MechanismId, Action: 'Answer', Answer: password,
  })
  return { token: r.Auth, id: p.SessionId, key: p.Challenges[1]?.Mechanisms.find((m) => m.Name === 'U2F')?.MechanismId }
}

// registers compares what both say of a registration, and gives the key.
async function registers(who, want, wrong) {
  const { Result: options } = await call('/U2f/GetRegistrationChallenge', { authenticatorType: 'PASSKEY', userDefinedName: 'Node' }, who.token)
  const a = authenticator()
  const response = create(a, options, wrong)
  const theirs = await holds(() => verifyRegistrationResponse({
    response, expectedChallenge: options.challenge, expectedOrigin: origin, expectedRPID: options.rp.id, requireUserVerification: true,
  }))
  const ours = await call('/U2f/AnswerRegistrationChallenge', { rawRegisterResponse: JSON.stringify(response) }, who.token)
  assert.deepEqual({ ours: ours.success, theirs }, { ours: want, theirs: want }, ours.Message ?? '')
  return a
}

// signs compares what both say of a signature.
async function signs(name, a, want, wrong = {}) {
  const p = await proved(name)
  const { Result: begun } = await call('/Security/AdvanceAuthentication', { SessionId: p.id, MechanismId: p.key, Action: 'StartOOB' })
  const counter = a.count
  a.count += wrong.step ?? 1
  const response = get(a, begun.PublicKey, wrong)
  const theirs = await holds(() => verifyAuthenticationResponse({
    response, expectedChallenge: begun.PublicKey.challenge, expectedOrigin: origin, expectedRPID: begun.PublicKey.rpId, requireUserVerification: true,
    credential: { id: b64(a.id), publicKey: a.cose, counter },
  }))
  const { Result: ours } = await call('/Security/AdvanceAuthentication', { SessionId: p.id, MechanismId: p.key, Action: 'Answer', Answer: JSON.stringify(response) })
  assert.deepEqual({ ours: ours.Summary === 'LoginSuccess', theirs }, { ours: want, theirs: want }, ours.Summary)
}

const elsewhere = 'https://evil.test'
const both = {
  'another origin': { origin: elsewhere }, 'another port': { origin: 'https://localhost:1' }, 'another relying party': { rp: 'evil.test' },
  'another challenge': { challenge: b64(Buffer.alloc(32)) }, 'the other ceremony': { type: 'webauthn.nothing' }, 'nobody present': { flags: 0x0c }, 'nobody verified': { flags: 0x09 },
  'copied, and not to be copied': { flags: 0x15 },
}

await ask('/Core/SetTenantConfig', { key: 'Authentication.Challenges', value: 'UP;PASSKEY' }, session)

await trying('registers and signs, twice', async () => {
  const who = await person()
  const a = await registers(who, true)
  await signs(who.name, a, true)
  await signs(who.name, a, true)
})
await trying('registrations with one thing wrong', async () => {
  const who = await person()
  for (const [what, wrong] of Object.entries(both)) await registers(who, false, wrong).catch((e) => assert.fail(`${what}: ${e.message}`))
})
await trying('signatures with one thing wrong', async () => {
  const more = { 'a signature of another key': { key: authenticator().privateKey }, 'a counter that goes back': { step: -1 }, 'a counter that stays': { step: 0 } }
  for (const [what, wrong] of Object.entries({ ...both, ...more })) {
    const who = await person() // wrong answers hold an account back
    const a = await registers(who, true)
    await signs(who.name, a, false, wrong).catch((e) => assert.fail(`${what}: ${e.message}`))
  }
})
