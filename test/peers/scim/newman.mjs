// newman runs a collection: node newman.mjs COLLECTION, the name of a module beside this one, or a file of Postman's.
import { readFileSync } from 'node:fs'
import newman from 'newman'
import { trying } from './common.mjs'
import { base, suffix, token } from './service.mjs'

// collection makes Postman's form of steps: [name, method, path, body, test]. The test is code of Postman's sandbox, where r is
// the status and o the JSON of the answer.
function collection(name, steps) {
  return {
    info: { name, schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json' },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{token}}', type: 'string' }] },
    item: steps.map(([name, method, path, body, test]) => ({
      name,
      request: {
        method, url: `{{base}}${path}`, header: [{ key: 'Content-Type', value: 'application/scim+json' }],
        ...(body === undefined ? {} : { body: { mode: 'raw', raw: typeof body === 'string' ? body : JSON.stringify(body) } }),
      },
      event: [{ listen: 'test', script: { exec: [sandbox(test)] } }],
    })),
  }
}

// sandbox is one test in Postman's sandbox.
const sandbox = (test) => `
const eq = (is, want, what) => pm.expect(is, what).to.eql(want)
const keep = (name, value) => pm.collectionVariables.set(name, value)
const get = (name) => pm.collectionVariables.get(name)
pm.test(pm.info.requestName, () => {
  const r = pm.response.code, text = pm.response.text(), head = (name) => pm.response.headers.get(name)
  const o = text === '' ? undefined : JSON.parse(text)
  ;(${test.toString()})({ r, o, head, eq, keep, get, pm })
})`

const [what] = process.argv.slice(2)
const made = what.endsWith('.json') ? JSON.parse(readFileSync(what)) : collection(what, (await import(`./${what}.mjs`)).default)
const variable = [['base', base], ['token', token], ['suffix', suffix], ['n', String(process.pid)]].map(([key, value]) => ({ key, value }))
made.variable = [...(made.variable ?? []), ...variable]

await trying(`newman: ${what}, ${made.item.length} requests`, async () => {
  const { run } = await new Promise((done, failed) => {
    newman.run({ collection: made, sslExtraCaCerts: process.env.NODE_EXTRA_CA_CERTS, silent: true, timeoutRequest: 10_000 },
      (err, summary) => err ? failed(err) : done(summary))
  })
  const bad = run.failures.map((f) => `${f.source?.name}: ${f.error.message}`)
  if (run.stats.assertions.total < made.item.length) bad.push(`${run.stats.assertions.total} checks of ${made.item.length} requests`)
  if (bad.length > 0) throw new Error('\n' + bad.join('\n'))
})
