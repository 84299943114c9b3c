// mod_auth_openidc: a page of Apache's that people see only when they have signed in. The browser is this script.
import { strict as assert } from 'node:assert'
import { readFile, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { app, browse, LIMEN_URL, secret, self, trying } from './common.mjs'

const [, , step, config] = process.argv
const site = process.env.APACHE_URL

if (step === 'configure') {
  const it = await app('apache', { Redirects: [`${site}/private/back`], PostLogoutRedirects: [`${site}/`] })
  const text = await readFile(config, 'utf8')
  await writeFile(config, text.replaceAll('@ID@', it.id).replaceAll('@SECRET@', secret).replaceAll('@ISSUER@', it.issuer.href))
} else {
  const jar = new Map()
  // fetch says of itself that it is a script, and would be refused instead of being led to the sign-in.
  const visit = (url) => new Promise((resolve, reject) => {
    get(url, { headers: { Cookie: [...jar].map(([n, v]) => `${n}=${v}`).join('; '), Accept: 'text/html' } }, async (r) => {
      let text = ''
      for await (const part of r) text += part
      for (const c of r.headers['set-cookie'] ?? []) {
        const [, name, value] = c.match(/^([^=]+)=([^;]*)/)
        if (value === '') jar.delete(name)
        else jar.set(name, value)
      }
      resolve({ status: r.statusCode, headers: r.headers, text })
    }).on('error', reject)
  })
  await trying('a page for those who signed in: PKCE, the code, the ID token, UserInfo', async () => {
    const r = await visit(`${site}/private/`)
    const to = new URL(r.headers.location)
    assert.equal(to.origin, LIMEN_URL)
    assert.equal(to.searchParams.get('code_challenge_method'), 'S256')
    const answer = await browse(to)
    const done = await visit(answer)
    assert.equal(done.status, 302, `status ${done.status}`)
    const page = await visit(done.headers.location)
    assert.equal(page.status, 200)
    assert.equal(page.text.trim(), 'private')
    assert.equal(page.headers['x-seen-sub'], self)
    assert.equal(JSON.parse(page.headers['x-seen-info']).sub, self)
  })
  await trying('an answer that was made up is refused', async () => {
    const r = await visit(`${site}/private/back?code=x&state=y`)
    assert.notEqual(r.status, 200)
  })
  await trying('signing out leads to the end of the session', async () => {
    const r = await visit(`${site}/private/back?logout=${encodeURIComponent(site + '/')}`)
    const to = new URL(r.headers.location)
    assert.equal(to.origin, LIMEN_URL)
    assert.ok(to.searchParams.get('id_token_hint'))
    assert.equal((await visit(`${site}/private/`)).status, 302)
  })
}
