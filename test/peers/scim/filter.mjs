// Filters over the same people, here and by scim2-parse-filter: the same people. Where a filter says no more about letter case
// than RFC 7643 does for an attribute, both sides are given lower case; what differs on purpose is told in docs/interop.md.
import { strict as assert } from 'node:assert'
import { Tester, parse } from 'scim2-parse-filter'
import { trying } from './common.mjs'
import { pick, random, scim, seed, suffix } from './service.mjs'

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const mark = `f${process.pid}`
const words = ['ada', 'bo', 'cec', 'adabo', 'x', '0', 'øre', 'a b', '100%', 'under_score', "o'neil"]
const word = () => pick(words)
const people = Number(process.env.PEERS_PEOPLE ?? 40), rounds = Number(process.env.PEERS_ROUNDS ?? 400)

function person(i) {
  const o = { userName: `${mark}-${i}-${random(9)}@${suffix}`, active: random(3) > 0, displayName: word() }
  if (random(2)) o.name = { givenName: word(), familyName: word() }
  if (random(2)) o.title = word()
  if (random(2)) o.userType = word()
  if (random(2)) o.nickName = word()
  if (random(3)) o.emails = [{ value: `${pick(['ada', 'bo'])}${i}@example.com`, type: 'work', primary: true }, ...(random(2) ? [{ value: `home${random(3)}@example.org`, type: 'home', primary: false }] : [])]
  if (random(3)) o.ims = [{ value: word(), type: pick(['xmpp', 'skype']) }, ...(random(2) ? [{ value: word() + random(9), type: 'irc' }] : [])]
  if (random(2)) o[enterprise] = { department: word(), ...(random(2) ? { employeeNumber: String(random(20)) } : {}) }
  return o
}

const quoted = (s) => JSON.stringify(s)
const texts = ['displayName', 'name.givenName', 'name.familyName', 'title', 'userType', 'nickName', `${enterprise}:department`, `${enterprise}:employeeNumber`]
const textOps = ['eq', 'eq', 'ne', 'co', 'sw', 'ew']
const piece = () => { const w = word(); return random(2) ? w : w.slice(random(w.length), w.length - random(2)) || 'a' }
const comparison = [
  () => `${pick(texts)} ${pick(textOps)} ${quoted(piece())}`,
  () => `${pick(texts)} ${pick(textOps)} ${quoted(piece())}`,
  () => `${pick(texts)} ${pick(['gt', 'ge', 'lt', 'le'])} ${quoted(word())}`,
  () => `userName ${pick(['eq', 'ne', 'sw', 'co', 'ew', 'gt', 'le'])} ${quoted(`${mark}-${random(people)}`)}`,
  () => `${pick([...texts, 'emails', 'ims', 'name.givenName'])} pr`,
  () => `active ${pick(['eq', 'ne'])} ${pick(['true', 'false'])}`,
  () => `emails.value ${pick(['eq', 'co', 'sw', 'ew'])} ${quoted(pick(['ada', 'example.org', 'home1@example.org', '@']))}`,
  () => `emails.type eq ${quoted(pick(['work', 'home', 'other']))}`,
  () => `emails[type eq ${quoted(pick(['work', 'home']))} ${pick(['and', 'or'])} value ${pick(['co', 'sw', 'ew'])} ${quoted(pick(['ada', 'bo', 'org', 'home2']))}]`,
  () => `emails[not (type eq "home") and value pr]`,
  () => `emails[primary eq ${pick(['true', 'false'])} and type eq ${quoted(pick(['work', 'home']))}]`,
  () => `ims[type eq ${quoted(pick(['xmpp', 'skype', 'irc']))} and value ${pick(['co', 'sw', 'ew'])} ${quoted(piece())}]`,
  () => `ims.value ${pick(['eq', 'co', 'sw'])} ${quoted(piece())}`,
]
function generated(depth) {
  switch (depth > 3 ? 0 : random(5)) {
    case 1: return `${generated(depth + 1)} and ${generated(depth + 1)}`
    case 2: return `${generated(depth + 1)} or ${generated(depth + 1)}`
    case 3: return `(${generated(depth + 1)})`
    case 4: return `not (${generated(depth + 1)})`
  }
  return pick(comparison)()
}

// Values wants one value to meet all of a value filter (RFC 7644 section 3.4.2.2), and not each part of it by some value.
class Values extends Tester {
  test(r, f) {
    if (f.op !== '[]') return super.test(r, f)
    return [r[f.attrPath] ?? []].flat().some((v) => this.test(v, f.valFilter))
  }
}

// decided changes a parsed filter where it is read otherwise here: ne holds of who has no value, too.
function decided(f) {
  if (f.filters) return { ...f, filters: f.filters.map(decided) }
  if (f.filter) return { ...f, filter: decided(f.filter) }
  if (f.valFilter) return f
  if (f.op === 'ne') return { op: 'not', filter: { ...f, op: 'eq' } }
  return f
}

const made = []
await trying(`scim2-parse-filter: ${rounds} filters over ${people} people, seed ${seed}`, async () => {
  for (let i = 0; i < people; i++) {
    const r = await scim('POST', '/Users', person(i))
    assert.equal(r.status, 201, JSON.stringify(r.body))
    made.push(r.body)
  }
  const wrong = []
  let hits = 0
  for (let i = 0; i < rounds; i++) {
    const text = generated(0)
    const f = decided(parse(text))
    const want = made.filter((o) => new Values().test(o, f)).map((o) => o.userName).sort()
    const query = new URLSearchParams({ filter: `userName sw "${mark}-" and (${text})`, attributes: 'userName', sortBy: 'userName' })
    const { status, body } = await scim('GET', `/Users?${query}`)
    const is = status === 200 ? body.Resources.map((o) => o.userName).sort() : [`${status} ${body.detail}`]
    hits += want.length
    if (JSON.stringify(is) === JSON.stringify(want) && (status !== 200 || body.totalResults === want.length)) continue
    const only = (a, b) => JSON.stringify(made.filter((o) => a.includes(o.userName) && !b.includes(o.userName)).slice(0, 1))
    wrong.push(`${text}\n    ${is.length} here, ${want.length} there; only here ${only(is, want)}; only there ${only(want, is)} ${status === 200 ? '' : is}`)
  }
  for (const o of made) await scim('DELETE', `/Users/${o.id}`)
  if (wrong.length) throw new Error(`${wrong.length} differences\n  ` + wrong.sort((a, b) => a.length - b.length).slice(0, Number(process.env.PEERS_SHOW ?? 3)).join('\n  '))
  assert.ok(hits > rounds, `only ${hits} people were found`)
})
