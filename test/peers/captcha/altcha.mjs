// altcha-lib does the work that strangers are given before they register, and packs what it found, as its authors' widget does.
import { strict as assert } from 'node:assert'
import { solveChallenge } from 'altcha-lib/v1'
import { ask, LIMEN_ADMIN, LIMEN_URL, session, trying } from './common.mjs'

const suffix = LIMEN_ADMIN.split('@')[1]
for (const [name, value] of [['Signup.Allowed', 'true'], ['Captcha.Work', '20000']]) await ask(`/Core/SetTenantConfig?key=${name}&value=${value}`, {}, session)

// work gives a challenge, and the solution that the library finds.
async function work() {
  const challenge = await (await fetch(`${LIMEN_URL}/Captcha/Challenge`)).json()
  const found = await solveChallenge(challenge.challenge, challenge.salt, challenge.algorithm, challenge.maxnumber).promise
  assert.ok(found, 'the library finds no number')
  const { algorithm, challenge: hash, salt, signature } = challenge
  return { algorithm, challenge: hash, number: found.number, salt, signature }
}

async function register(name, solution) {
  const answer = await fetch(`${LIMEN_URL}/User/Signup`, {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'X-IDAP-NATIVE-CLIENT': 'true' },
    body: JSON.stringify({
      Name: `${name}@${suffix}`, Mail: `${name}@example.com`, Password: 'Walk-the-long-way-7',
      ReCaptchaToken: Buffer.from(JSON.stringify(solution)).toString('base64'),
    }),
  })
  return (await answer.json()).success
}

await trying('a stranger registers by its solution', async () => assert.equal(await register('altcha1', await work()), true))
await trying('a solution works once', async () => {
  const solution = await work()
  assert.equal(await register('altcha2', solution), true)
  assert.equal(await register('altcha3', solution), false)
})
await trying('another number is none', async () => {
  const solution = await work()
  assert.equal(await register('altcha4', { ...solution, number: solution.number + 1 }), false)
})
