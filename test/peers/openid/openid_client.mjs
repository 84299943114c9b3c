// openid-client: an application with a secret, one whose client proves itself by a key, one for devices and exchanges.
import { strict as assert } from 'node:assert'
import * as client from 'openid-client'
import { app, ask, back, browse, refused, secret, self, session, trying } from './common.mjs'

const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const publicKey = { ...(await crypto.subtle.exportKey('jwk', keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
delete publicKey.key_ops

// code goes the whole way of a code with PKCE.
async function code(config, more = {}, build = client.buildAuthorizationUrl, options, scope = 'openid profile email') {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const url = await build(config, {
    redirect_uri: back, scope, state, nonce, code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256', ...more,
  }, options)
  const at = await browse(url)
  return client.authorizationCodeGrant(config, at, { pkceCodeVerifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }, undefined, options)
}

const wiki = await app('wiki', { AllowedAuth: 'AuthorizationCode,ClientCreds', KnownScopes: [{ Scope: 'read' }] })
const config = await client.discovery(wiki.issuer, wiki.id, undefined, client.ClientSecretBasic(secret))

await trying('discovery, a code with PKCE, the ID token and UserInfo', async () => {
  const t = await code(config)
  assert.equal(t.claims().sub, self)
  const info = await client.fetchUserInfo(config, t.access_token, self)
  assert.equal(info.sub, self)
})

await trying('refreshing gives a new token, and the old one ends everything', async () => {
  const t = await code(config)
  const next = await client.refreshTokenGrant(config, t.refresh_token)
  assert.notEqual(next.refresh_token, t.refresh_token)
  assert.equal((await client.tokenIntrospection(config, next.access_token)).active, true)
  await refused('invalid_grant', () => client.refreshTokenGrant(config, t.refresh_token))
  await refused('invalid_grant', () => client.refreshTokenGrant(config, next.refresh_token))
  assert.equal((await client.tokenIntrospection(config, next.access_token)).active, false)
})

await trying('revocation', async () => {
  const t = await code(config)
  await client.tokenRevocation(config, t.refresh_token)
  assert.equal((await client.tokenIntrospection(config, t.access_token)).active, false)
})

await trying('client credentials, and a scope that nobody knows', async () => {
  const t = await client.clientCredentialsGrant(config, { scope: 'read' })
  const live = await client.tokenIntrospection(config, t.access_token)
  assert.deepEqual([live.active, live.client_id, live.scope], [true, wiki.id, 'read'])
  await refused('invalid_scope', () => client.clientCredentialsGrant(config, { scope: 'write' }))
})

await trying('client_secret_post, and a wrong secret', async () => {
  const post = await client.discovery(wiki.issuer, wiki.id, undefined, client.ClientSecretPost(secret))
  await client.clientCredentialsGrant(post, { scope: 'read' })
  const wrong = await client.discovery(wiki.issuer, wiki.id, undefined, client.ClientSecretPost(secret + '!'))
  await assert.rejects(() => client.clientCredentialsGrant(wrong, { scope: 'read' }))
})

await trying('client_secret_jwt', async () => {
  const signed = await client.discovery(wiki.issuer, wiki.id, undefined, client.ClientSecretJwt(secret))
  await client.clientCredentialsGrant(signed, { scope: 'read' })
})

await trying('a pushed request (PAR)', async () => {
  const t = await code(config, {}, client.buildAuthorizationUrlWithPAR)
  assert.equal(t.claims().sub, self)
})

await trying('an answer that is a JWT (JARM)', async () => {
  const jarm = await client.discovery(wiki.issuer, wiki.id, { authorization_signed_response_alg: 'RS256' }, client.ClientSecretBasic(secret))
  client.useJwtResponseMode(jarm)
  const t = await code(jarm)
  assert.equal(t.claims().sub, self)
})

await trying('an ID token whose signature the client checks', async () => {
  const strict = await client.discovery(wiki.issuer, wiki.id, undefined, client.ClientSecretBasic(secret))
  client.enableNonRepudiationChecks(strict)
  assert.equal((await code(strict)).claims().sub, self)
})

await trying('the address at which one signs out', async () => {
  const url = client.buildEndSessionUrl(config, { post_logout_redirect_uri: back })
  assert.ok(url.href.startsWith(config.serverMetadata().end_session_endpoint))
})

// A client that proves itself by a key, and whose tokens are bound to another; proofs must repeat the server's nonce.
const bank = await app('bank', {
  AllowedAuth: 'AuthorizationCode,ClientCreds', KnownScopes: [{ Scope: 'pay' }], DPoPNonce: true, RequirePushed: true,
  ClientMetadata: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicKey] }, dpop_bound_access_tokens: true, request_object_signing_alg: 'ES256' },
})
const byKey = await client.discovery(bank.issuer, bank.id, undefined, client.PrivateKeyJwt({ key: keys.privateKey, kid: 'one' }))
const DPoP = client.getDPoPHandle(byKey, await client.randomDPoPKeyPair('ES256'))

await trying('private_key_jwt, PAR and DPoP with nonces: code, UserInfo, refresh', async () => {
  const t = await code(byKey, {}, client.buildAuthorizationUrlWithPAR, { DPoP })
  assert.equal(t.token_type, 'dpop')
  assert.equal((await client.fetchUserInfo(byKey, t.access_token, self, { DPoP })).sub, self)
  const next = await client.refreshTokenGrant(byKey, t.refresh_token, undefined, { DPoP })
  assert.equal((await client.fetchUserInfo(byKey, next.access_token, self, { DPoP })).sub, self)
  const live = await client.tokenIntrospection(byKey, next.access_token)
  assert.ok(live.active && live.cnf.jkt)
})

await trying('a bound token is none without its key', async () => {
  const t = await code(byKey, {}, client.buildAuthorizationUrlWithPAR, { DPoP })
  await assert.rejects(() => client.fetchUserInfo(byKey, t.access_token, self))
  const other = client.getDPoPHandle(byKey, await client.randomDPoPKeyPair('ES256'))
  await assert.rejects(() => client.fetchUserInfo(byKey, t.access_token, self, { DPoP: other }))
})

await trying('client credentials by private_key_jwt, and by a key that is not the client\'s', async () => {
  const t = await client.clientCredentialsGrant(byKey, { scope: 'pay' }, { DPoP })
  assert.equal((await client.tokenIntrospection(byKey, t.access_token)).active, true)
  const foreign = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const thief = await client.discovery(bank.issuer, bank.id, undefined, client.PrivateKeyJwt({ key: foreign.privateKey, kid: 'one' }))
  await assert.rejects(() => client.clientCredentialsGrant(thief, { scope: 'pay' }, { DPoP }))
})

await trying('a signed request (JAR) that is pushed', async () => {
  const pushed = async (c, params, options) => {
    const signed = await client.buildAuthorizationUrlWithJAR(c, params, { key: keys.privateKey, kid: 'one' })
    return client.buildAuthorizationUrlWithPAR(c, Object.fromEntries(signed.searchParams), options)
  }
  assert.equal((await code(byKey, {}, pushed, { DPoP })).claims().sub, self)
})

const tv = await app('tv', { AllowedAuth: 'DeviceCode,CIBA,TokenExchange,ClientCreds', ExchangeFrom: ['tv'], AllowImpersonation: true, KnownScopes: [{ Scope: 'watch' }] })
const screen = await client.discovery(tv.issuer, tv.id, undefined, client.ClientSecretBasic(secret))

await trying('a device code, that nobody has agreed to yet', async () => {
  const d = await client.initiateDeviceAuthorization(screen, { scope: 'openid watch' })
  assert.ok(d.user_code && d.verification_uri && d.interval > 0)
  await refused('authorization_pending', () => client.genericGrantRequest(screen, 'urn:ietf:params:oauth:grant-type:device_code', { device_code: d.device_code }))
})

await trying('somebody who agrees elsewhere (CIBA), and an exchange of what the client got', async () => {
  const asked = await client.initiateBackchannelAuthentication(screen, { scope: 'openid watch', login_hint: process.env.LIMEN_ADMIN, binding_message: 'Film 12' })
  const [{ Row }] = (await ask('/OAuth2/GetBackchannelRequests', {}, session)).Results
  await ask('/OAuth2/DecideBackchannelRequest', { ID: Row.ID, Approve: true }, session)
  const t = await client.pollBackchannelAuthenticationGrant(screen, { ...asked, interval: 0.1 })
  assert.equal(t.claims().sub, self)
  const other = await client.genericGrantRequest(screen, 'urn:ietf:params:oauth:grant-type:token-exchange', {
    subject_token: t.access_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', scope: 'watch',
  })
  const live = await client.tokenIntrospection(screen, other.access_token)
  assert.deepEqual([live.active, live.sub, live.scope], [true, self, 'watch'])
})
