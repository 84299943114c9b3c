// oauth4webapi: what openid-client is made of, used by itself: a public client, and a resource server that reads access tokens.
import { strict as assert } from 'node:assert'
import * as oauth from 'oauth4webapi'
import { app, back, browse, LIMEN_URL, self, trying } from './common.mjs'

const spa = await app('spa', { AllowPublic: true, KnownScopes: [{ Scope: 'read' }] })
const as = await oauth.processDiscoveryResponse(spa.issuer, await oauth.discoveryRequest(spa.issuer))
const client = { client_id: spa.id }
const keys = await oauth.generateKeyPair('ES256')
const DPoP = oauth.DPoP(client, keys)

async function code(options) {
  const verifier = oauth.generateRandomCodeVerifier()
  const url = new URL(as.authorization_endpoint)
  for (const [name, value] of Object.entries({
    client_id: spa.id, redirect_uri: back, response_type: 'code', scope: 'openid read', state: 'a-state', nonce: 'a-nonce',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })) url.searchParams.set(name, value)
  const params = oauth.validateAuthResponse(as, client, await browse(url), 'a-state')
  const answer = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), params, back, verifier, options)
  return oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: 'a-nonce', requireIdToken: true })
}

await trying('a public client: discovery, a code with PKCE and iss, UserInfo', async () => {
  const t = await code()
  const info = await oauth.processUserInfoResponse(as, client, self, await oauth.userInfoRequest(as, client, t.access_token))
  assert.equal(info.sub, self)
})

await trying('a resource server checks an access token by the keys (RFC 9068)', async () => {
  const t = await code()
  const request = new Request(LIMEN_URL, { headers: { Authorization: `Bearer ${t.access_token}` } })
  const claims = await oauth.validateJwtAccessToken(as, request, spa.id)
  assert.deepEqual([claims.sub, claims.client_id, claims.scope], [self, spa.id, 'openid read'])
  await assert.rejects(() => oauth.validateJwtAccessToken(as, request, 'somebody-else'))
})

await trying('a public client whose tokens are bound to a key, and rotated', async () => {
  const t = await code({ DPoP })
  const answer = await oauth.refreshTokenGrantRequest(as, client, oauth.None(), t.refresh_token, { DPoP })
  const next = await oauth.processRefreshTokenResponse(as, client, answer)
  assert.notEqual(next.refresh_token, t.refresh_token)
  await assert.rejects(async () => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, oauth.None(), next.refresh_token)))
})

await trying('revocation by a public client', async () => {
  const t = await code()
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), t.refresh_token))
  await assert.rejects(async () => oauth.processUserInfoResponse(as, client, self, await oauth.userInfoRequest(as, client, t.access_token)))
})
