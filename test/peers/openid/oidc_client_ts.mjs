// oidc-client-ts: a page of an application's own in a browser, which has no secret. A server here has nothing but the page's files.
import { strict as assert } from 'node:assert'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { dirname, join } from 'node:path'
import { chromium } from 'playwright-core'
import { app, LIMEN_ADMIN, LIMEN_PASSWORD, LIMEN_URL, self, trying } from './common.mjs'

const library = await readFile(new URL('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url))

// The page for whoever answers at an address: it knows where it is, and its query says at which issuer it is to sign in.
const page = `<!doctype html><script src="/oidc.js"></script><script>
  const authority = localStorage.authority ??= new URLSearchParams(location.search).get('authority')
  window.manager = new oidc.UserManager({
    authority, client_id: localStorage.client ??= new URLSearchParams(location.search).get('client'),
    redirect_uri: location.origin + '/back', silent_redirect_uri: location.origin + '/silent', post_logout_redirect_uri: location.origin + '/',
    scope: 'openid profile email', loadUserInfo: true, automaticSilentRenew: false, monitorSession: location.pathname == '/',
    checkSessionIntervalInSeconds: 1, silentRequestTimeoutInSeconds: 10, userStore: new oidc.WebStorageStateStore({ store: localStorage }),
  })
  window.seen = []
  for (const name of ['UserSignedOut', 'UserSignedIn', 'UserSessionChanged', 'SilentRenewError']) manager.events['add' + name](() => seen.push(name))
  if (location.pathname == '/silent') manager.signinSilentCallback()
</script>`
const tls = dirname(process.env.LIMEN_CA)
const [cert, key] = await Promise.all(['server.pem', 'server.key'].map((name) => readFile(join(tls, name))))
const server = createServer({ cert, key }, (request, answer) => {
  const script = request.url === '/oidc.js'
  answer.writeHead(200, { 'Content-Type': script ? 'text/javascript' : 'text/html' })
  answer.end(script ? library : page)
})
await new Promise((done) => server.listen(0, '127.0.0.1', done))

// Sites: the same one as the program's, to which browsers send its cookies in frames, and another, to which they do not.
const { port } = server.address()
const near = `https://127.0.0.1:${port}`, far = 'https://spa.example.com'
const pages = (site) => [`${site}/back`, `${site}/silent`]
const spa = await app('spa-ts', {
  ClientIDType: 0, ClientSecret: undefined, AllowPublic: true, SessionManagement: true, Redirects: [...pages(near), ...pages(far)],
  PostLogoutRedirects: [`${near}/`],
})

const browser = await chromium.launch({
  executablePath: process.env.LIMEN_BROWSER,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-features=LocalNetworkAccessChecks', `--host-resolver-rules=MAP spa.example.com:443 127.0.0.1:${port}`],
})

// tab opens the page in a browser without cookies.
async function tab(site, authority = spa.issuer.href) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en' })
  context.setDefaultTimeout(20_000)
  const at = await context.newPage()
  if (process.env.PEERS_TRACE) at.on('console', (m) => console.log('    ', m.text())).on('pageerror', (e) => console.log('    ', e.message))
  await at.goto(`${site}/?${new URLSearchParams({ authority, client: spa.id })}`)
  return at
}

// enter gives name and password on the program's own pages.
async function enter(page) {
  await page.fill('input[name=user]', LIMEN_ADMIN)
  await page.click('button[type=submit]')
  await page.fill('input[type=password]', LIMEN_PASSWORD)
  await page.click('button[type=submit]')
}

// signIn goes by the page's redirect, and gives whom the library then knows.
async function signIn(page, site) {
  await Promise.all([page.waitForURL(`${LIMEN_URL}/**`), page.evaluate(() => { manager.signinRedirect().catch((e) => console.log(String(e))) })])
  await enter(page)
  await page.waitForURL(`${site}/back?**`)
  const user = await page.evaluate(() => manager.signinRedirectCallback())
  await page.goto(`${site}/`)
  return user
}

const silently = (page, args) => page.evaluate((a) => manager.signinSilent(a).then((u) => u ?? 'nobody', (e) => 'refused: ' + (e.error ?? e.message)), args)

// until waits for the page to have seen something.
const until = (page, name) => page.waitForFunction((n) => seen.includes(n), name)

await trying('a page signs in with PKCE, reads UserInfo, and refreshes its tokens', async () => {
  const page = await tab(near)
  const user = await signIn(page, near)
  assert.equal(user.profile.sub, self)
  assert.ok(user.refresh_token && user.session_state && user.profile.name)
  const next = await silently(page)
  assert.notEqual(next.access_token, user.access_token)
  assert.notEqual(next.refresh_token, user.refresh_token)
  await page.context().close()
})

await trying('a frame renews without asking (prompt=none), for the same person', async () => {
  const page = await tab(near)
  const user = await signIn(page, near)
  const next = await silently(page, { forceIframeAuth: true })
  assert.deepEqual([next.profile?.sub, next.profile?.sid], [user.profile.sub, user.profile.sid], JSON.stringify(next))
  assert.notEqual(next.access_token, user.access_token)
  await page.context().close()
})

await trying('the page sees that somebody signs out elsewhere, and in again (session management)', async () => {
  const page = await tab(near)
  await signIn(page, near)
  await page.reload()
  await page.waitForTimeout(3500) // three looks at a session that lasts
  assert.deepEqual(await page.evaluate(() => seen), [])
  const other = await page.context().newPage()
  await other.goto(`${LIMEN_URL}/logout`)
  await other.click('button[type=submit]')
  await until(page, 'UserSignedOut')
  await page.evaluate(() => { seen.length = 0 })
  await other.goto(`${LIMEN_URL}/login`)
  await enter(other)
  await other.waitForSelector('h1')
  const next = await silently(page, { forceIframeAuth: true })
  assert.equal(next.profile?.sub, self, JSON.stringify(next))
  await page.context().close()
})

await trying('another session of the same person is told as changed', async () => {
  const page = await tab(near)
  await signIn(page, near)
  await page.reload()
  const other = await page.context().newPage()
  await other.goto(`${LIMEN_URL}/login?switch=1`)
  await enter(other)
  await until(page, 'UserSessionChanged')
  await page.context().close()
})

await trying('revocation, and signing out by the page', async () => {
  const page = await tab(near)
  await signIn(page, near)
  await page.evaluate(() => manager.revokeTokens(['access_token']))
  await Promise.all([page.waitForURL(`${near}/?**`), page.evaluate(() => { manager.signoutRedirect({ state: 'x' }) })]).catch(() => page.waitForURL(`${near}/`))
  assert.match(await silently(page, { forceIframeAuth: true }), /login_required|nobody/)
  await page.context().close()
})

await trying('the same at the tenant\'s issuer', async () => {
  const page = await tab(near, `${LIMEN_URL}/`)
  const user = await signIn(page, near)
  assert.equal(user.profile.iss, `${LIMEN_URL}/`)
  assert.notEqual((await silently(page)).access_token, user.access_token)
  assert.equal((await silently(page, { forceIframeAuth: true })).profile?.sub, self)
  await page.context().close()
})

await trying('a page of another site refreshes its tokens, and no frame of it is signed in', async () => {
  const page = await tab(far)
  const user = await signIn(page, far)
  assert.notEqual((await silently(page)).access_token, user.access_token)
  assert.equal(await silently(page, { forceIframeAuth: true }), 'refused: login_required')
  await page.context().close()
})

await browser.close()
server.close()
