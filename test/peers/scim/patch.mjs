// The same resource and the same operations, here and by scim-patch: the same result. What differs on purpose is left out in
// bare, and told in docs/interop.md.
import { strict as assert } from 'node:assert'
import { isDeepStrictEqual } from 'node:util'
import { patchBodyValidation, scimPatch } from 'scim-patch'
import { trying } from './common.mjs'
import { pick, random, scim, seed, suffix } from './service.mjs'

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const userName = `patch-${process.pid}@${suffix}`
const word = () => pick(['Ada', 'Bo', 'Ćiro', 'De Vries', '0', 'x'.repeat(60)])
const some = (n, make) => Array.from({ length: random(n) }, make)
const types = ['work', 'home', 'other']

// emails are told apart by their values; at most one is primary, and the one for work stands first, as the directory has it.
const email = (i) => ({ value: `${pick(['a', 'b', 'c'])}${i}@example.com`, type: types[i] })
const emails = (n = 4) => some(n, (_, i) => ({ ...email(i), ...(i === 0 ? { primary: true } : {}) })).slice(0, 3)
const ims = () => some(3, (_, i) => ({ value: `im${i}${word()}`, type: pick(['xmpp', 'skype']) }))

function resource() {
  const o = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', enterprise], userName, displayName: 'Patch', active: true }
  if (random(2)) o.name = { givenName: word(), familyName: word() }
  if (random(2)) o.title = word()
  if (random(2)) o.nickName = word()
  if (random(3)) o.emails = emails()
  if (random(2)) o.ims = ims()
  if (random(2)) o[enterprise] = { department: word(), ...(random(2) ? { costCenter: word() } : {}) }
  return o
}

const op = (kind) => pick([kind, kind, kind[0].toUpperCase() + kind.slice(1)])
const operations = [
  () => ({ op: op(pick(['add', 'replace'])), path: pick(['title', 'nickName', 'displayName']), value: word() }),
  () => ({ op: op(pick(['add', 'replace'])), path: pick(['name.givenName', 'name.familyName', 'name.middleName']), value: word() }),
  () => ({ op: op(pick(['add', 'replace'])), path: 'name', value: { givenName: word(), honorificPrefix: 'Dr' } }),
  () => ({ op: op(pick(['add', 'replace'])), path: `${enterprise}:${pick(['department', 'costCenter', 'division'])}`, value: word() }),
  () => ({ op: op('remove'), path: pick(['title', 'nickName', 'name.givenName', 'name.middleName', `${enterprise}:costCenter`]) }),
  () => ({ op: op('remove'), path: pick(['emails', 'ims', 'name']) }),
  () => ({ op: op('remove'), path: `emails[type eq "${pick(types)}"]` }),
  () => ({ op: op('remove'), path: `ims[type eq "xmpp" and value sw "im"]` }),
  () => ({ op: op('add'), path: 'ims', value: [{ value: `new${random(3)}`, type: 'xmpp' }] }),
  () => ({ op: op('add'), path: 'emails', value: [{ value: `more${random(3)}@example.com`, type: 'other' }] }),
  () => ({ op: op('replace'), path: 'emails', value: [{ value: 'one@example.com', type: 'work', primary: true }] }),
  () => ({ op: op('replace'), path: 'ims', value: ims() }),
  () => ({ op: op('replace'), path: `emails[type eq "${pick(types)}"].value`, value: `new${random(3)}@example.com` }),
  () => ({ op: op('add'), path: `emails[type eq "${pick(types)}"].value`, value: `added${random(3)}@example.com` }),
  () => ({ op: op('replace'), path: `ims[type eq "${pick(['xmpp', 'skype'])}"].value`, value: word() }),
  () => ({ op: op(pick(['add', 'replace'])), value: { title: word(), nickName: word() } }),
  () => ({ op: op(pick(['add', 'replace'])), value: { 'name.givenName': word(), [`${enterprise}:department`]: word() } }),
  () => ({ op: op('replace'), value: { active: pick([true, false]) } }),
]

// applied is scim-patch, told that a filter must meet something (RFC 7644 table 9, noTarget), whatever the operation.
function applied(o, operation) {
  const out = scimPatch(structuredClone(o), [structuredClone(operation)], { mutateDocument: false, treatMissingAsAdd: false })
  if (operation.op.toLowerCase() === 'remove' && operation.path.includes('[') && isDeepStrictEqual(empty(out), empty(o))) throw new Error('noTarget')
  return out
}

// bare is a resource without what the server alone says, and with nothing empty in it.
function bare(o) {
  const { id, meta, schemas, groups, 'urn:ietf:params:scim:schemas:pam:1.0:LinkedObject': linked, ...rest } = structuredClone(o)
  // Here one address is always the primary one, whether or not anybody said which.
  if (rest.emails) rest.emails = rest.emails.map(({ primary, ...e }) => e)
  return empty(rest)
}
function empty(v) {
  if (Array.isArray(v)) return v.length ? v.map(empty) : undefined
  if (v === null || typeof v !== 'object') return v ?? undefined
  const kept = Object.entries(v).map(([name, e]) => [name, empty(e)]).filter(([, e]) => e !== undefined)
  return kept.length ? Object.fromEntries(kept) : undefined
}

const { body: made } = await scim('POST', '/Users', { schemas: [], userName })
const rounds = Number(process.env.PEERS_ROUNDS ?? 250)
await trying(`scim-patch: ${rounds} resources and their operations, seed ${seed}`, async () => {
  const differences = new Map()
  let refused = 0
  for (let i = 0; i < rounds; i++) {
    const put = await scim('PUT', `/Users/${made.id}`, resource())
    assert.equal(put.status, 200, JSON.stringify(put.body))
    const Operations = [pick(operations)(), ...some(3, () => pick(operations)())]
    const body = { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations }
    let want
    try {
      patchBodyValidation(structuredClone(body))
      want = Operations.reduce(applied, put.body)
    } catch (e) {
      want = e
    }
    const is = await scim('PATCH', `/Users/${made.id}`, body)
    if (want instanceof Error) refused++
    const a = want instanceof Error ? 'refused' : bare(want), b = is.status === 200 ? bare(is.body) : 'refused'
    if (is.status !== 200) assert.ok(is.status === 400 && is.body.scimType, `${is.status} ${JSON.stringify(is.body)}`)
    try {
      assert.deepEqual(b, a)
    } catch {
      const key = Operations.map((o) => `${o.op.toLowerCase()} ${o.path?.replace(/".*?"/g, '"…"') ?? ''}`).join(', ')
      if (!differences.has(key)) differences.set(key, `${JSON.stringify(bare(put.body))}\n    ${JSON.stringify(Operations)}\n    here: ${JSON.stringify(b)} ${is.body?.detail ?? ''}\n    scim-patch: ${JSON.stringify(a)} ${want.message ?? ''}`)
    }
  }
  await scim('DELETE', `/Users/${made.id}`)
  if (differences.size) throw new Error(`${differences.size} differences\n  ` + [...differences.values()].slice(0, Number(process.env.PEERS_SHOW ?? 3)).join('\n  '))
  return refused
})
