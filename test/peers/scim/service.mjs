// A client that provisions, as docs/scim.md makes one: a service user with a role, its rights and a token of its own.
import { LIMEN_ADMIN, LIMEN_URL, ask, session } from './common.mjs'

export const suffix = LIMEN_ADMIN.split('@')[1]
const name = `scim-${process.pid}`
await ask('/CDirectoryService/CreateUser', { Name: `${name}@${suffix}`, Mail: `${name}@example.com`, ServiceUser: true }, session)
await ask('/Roles/StoreRole', { Name: name, Users: [`${name}@${suffix}`] }, session)
await ask('/Roles/AssignSuperRights', ['dsman', 'roleman'].map((r) => ({ Role: name, Path: `/lib/rights/${r}.json` })), session)
export const { Token: token } = await ask('/UserMgmt/CreateProvisioningToken', { ID: `${name}@${suffix}`, Name: name, Days: 1 }, session)

export const base = `${LIMEN_URL}/scim/v2`

// scim sends a request and gives the status and the resource or list that came.
export async function scim(method, path, body) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' }
  const r = await fetch(base + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  const text = await r.text()
  return { status: r.status, headers: r.headers, body: text === '' ? undefined : JSON.parse(text) }
}

// random gives numbers that are the same whenever the seed is, so that what failed can be tried again.
export const seed = Number(process.env.PEERS_SEED ?? Date.now() % 1e9)
let state = seed
export function random(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * n)
}
export const pick = (list) => list[random(list.length)]
