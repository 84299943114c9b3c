// What the scripts share: the administrator, applications, a browser that is signed in, and one line of result for each thing tried.
import { strict as assert } from 'node:assert'

export const { LIMEN_URL, LIMEN_ADMIN, LIMEN_PASSWORD } = process.env
export const back = 'https://client.example.com/back'
export const secret = 'a-secret-of-32-bytes-or-more-for-HS256'

// trying runs a function and prints what came of it.
export async function trying(what, f) {
  try {
    await f()
    console.log(`  ok      ${what}`)
  } catch (e) {
    process.exitCode = 1
    console.log(`  FAILED  ${what}: ${e.name}: ${String(e.message).slice(0, Number(process.env.PEERS_LONG ?? 600))} ${JSON.stringify(e.cause ?? e.error ?? '').slice(0, 400)}`)
  }
}

// refused wants a call to be refused by the server with an error of the protocol.
export async function refused(error, call) {
  await assert.rejects(call, (e) => (e.error ?? e.cause?.error ?? e.cause?.[0]?.parameters?.error) === error || assert.fail(`${e.name} ${e.error} ${e.message}`))
}

// ask calls an operation of the program, without the client under test.
export async function ask(path, body, token) {
  const headers = { 'Content-Type': 'application/json', 'X-IDAP-NATIVE-CLIENT': 'true' }
  if (token) headers.Authorization = `Bearer ${token}`
  const answer = await (await fetch(LIMEN_URL + path, { method: 'POST', headers, body: JSON.stringify(body) })).json()
  assert.ok(answer.success, `${path}: ${answer.Message}`)
  return answer.Result
}

export const session = (await ask('/Security/Login', { user: LIMEN_ADMIN, password: LIMEN_PASSWORD })).Auth
export const self = (await ask('/Security/WhoAmI', {}, session)).UserUuid

// app makes an application for everybody, and gives the id of its client.
export async function app(service, profile) {
  const [{ _RowKey }] = await ask('/SaasManage/ImportAppFromTemplate', { ID: ['Generic OpenID Connect'] }, session)
  await ask('/SaasManage/UpdateApplicationDE', {
    _RowKey, Name: service, ServiceName: service, AppRoles: { Publish: [{ Role: 'Everybody' }] },
    OAuthProfile: { ClientIDType: 1, ClientSecret: secret, Redirects: [back], AllowedAuth: 'AuthorizationCode', AllowRefresh: true, ...profile },
  }, session)
  const id = (await ask('/SaasManage/GetApplication', { _RowKey }, session)).OAuthProfile.ClientID
  return { id, issuer: new URL(`${LIMEN_URL}/${service}/`) }
}

// browse opens an address as a browser that is signed in, and gives where it is sent.
export async function browse(url) {
  const r = await fetch(url, { redirect: 'manual', headers: { Accept: 'text/html', Cookie: `.ASPXAUTH=${session}` } })
  assert.equal(r.status, 302, `status ${r.status} of ${url}: ${r.status === 302 ? '' : (await r.text()).slice(0, 300)}`)
  return new URL(r.headers.get('Location'))
}
