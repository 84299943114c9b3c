// What Entra ID sends, by the public description of its provisioning: how it tests a connection, matches, creates, changes,
// disables and restores people, and keeps groups, with the capitals and texts that it writes.
const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const patch = (...Operations) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })
const body = (who, more) => ({ schemas: [user, enterprise], externalId: who, userName: `${who}-{{n}}@{{suffix}}`, active: true, ...more })

export default [
  ['test connection: somebody who cannot be', 'GET', '/Users?filter=userName eq "6a7b1c2d-{{n}}"', undefined, ({ r, o, eq }) => { eq(r, 200); eq(o.totalResults, 0); eq(o.Resources, []) }],
  ['create', 'POST', '/Users', body('entra', { addresses: [{ type: 'work', primary: true, locality: 'Oslo', country: 'NO' }], emails: [{ primary: true, type: 'work', value: 'entra@example.com' }], name: { formatted: 'Nia Ek', familyName: 'Ek', givenName: 'Nia' }, displayName: 'Nia', title: 'Lead', preferredLanguage: 'sv', roles: [], [enterprise]: { department: 'R&D', employeeNumber: '7' } }),
    ({ r, o, eq, keep }) => { eq(r, 201); eq(o.active, true); eq(o.externalId, 'entra'); keep('user', o.id) }],
  ['create: the manager', 'POST', '/Users', body('boss'), ({ r, o, eq, keep }) => { eq(r, 201); keep('boss', o.id) }],
  ['match by userName', 'GET', '/Users?filter=userName eq "entra-{{n}}@{{suffix}}"', undefined, ({ o, eq, get }) => { eq(o.totalResults, 1); eq(o.Resources[0].id, get('user')) }],
  ['match by externalId', 'GET', '/Users?filter=externalId eq "entra"', undefined, ({ o, eq, get }) => { eq(o.totalResults, 1); eq(o.Resources[0].id, get('user')) }],
  ['match by address', 'GET', '/Users?filter=emails[type eq "work"].value eq "entra@example.com"', undefined, ({ o, eq }) => { eq(o.totalResults, 1) }],
  ['create again', 'POST', '/Users', body('entra'), ({ r, o, eq }) => { eq(r, 409); eq(o.scimType, 'uniqueness') }],
  ['change attributes, in its capitals', 'PATCH', '/Users/{{user}}', patch({ op: 'Replace', path: 'emails[type eq "work"].value', value: 'nia@example.com' }, { op: 'Replace', path: 'name.familyName', value: 'Holm' }, { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+47 5550100' }, { op: 'Replace', path: `${enterprise}:department`, value: 'Sales' }),
    ({ r, o, eq }) => { eq(r, 200); eq(o.emails[0].value, 'nia@example.com'); eq(o.name.familyName, 'Holm'); eq(o.phoneNumbers.map((p) => [p.type, p.value]), [['mobile', '+47 5550100']]); eq(o['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'].department, 'Sales') }],
  ['change attributes, without paths', 'PATCH', '/Users/{{user}}', patch({ op: 'replace', value: { displayName: 'Nia H', 'name.givenName': 'Nina', [`${enterprise}:employeeNumber`]: '8' } }),
    ({ r, o, eq }) => { eq(r, 200); eq(o.displayName, 'Nia H'); eq(o.name.givenName, 'Nina'); eq(o['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'].employeeNumber, '8') }],
  ['manager as text', 'PATCH', '/Users/{{user}}', patch({ op: 'Add', path: `${enterprise}:manager`, value: '{{boss}}' }), ({ r, o, eq, get }) => { eq(r, 200); eq(o['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'].manager.value, get('boss')) }],
  ['manager as an object', 'PATCH', '/Users/{{user}}', patch({ op: 'Replace', path: `${enterprise}:manager`, value: { value: '{{boss}}' } }), ({ r, eq }) => { eq(r, 200) }],
  ['manager gone', 'PATCH', '/Users/{{user}}', patch({ op: 'Remove', path: `${enterprise}:manager` }), ({ r, o, eq }) => { eq(r, 200); eq((o['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'] ?? {}).manager, undefined) }],
  ['roles as it sends them', 'PATCH', '/Users/{{user}}', patch({ op: 'Add', path: 'roles', value: [{ primary: 'False', type: 'WindowsAzureActiveDirectoryRole', display: 'User', value: 'u1' }] }), ({ r, o, eq }) => { eq(r, 200); eq(o.roles.map((x) => [x.value, x.primary ?? false]), [['u1', false]]) }],
  ['one role, by primary', 'PATCH', '/Users/{{user}}', patch({ op: 'Add', path: 'roles[primary eq "True"].value', value: 'u2' }), ({ r, o, eq, pm }) => { eq(r, 200); pm.expect(o.roles.map((x) => x.value)).to.include('u2') }],
  ['disable: text', 'PATCH', '/Users/{{user}}', patch({ op: 'Replace', path: 'active', value: 'False' }), ({ r, o, eq }) => { eq(r, 200); eq(o.active, false) }],
  ['a disabled user is found, and says so', 'GET', '/Users?filter=userName eq "entra-{{n}}@{{suffix}}"', undefined, ({ o, eq }) => { eq(o.totalResults, 1); eq(o.Resources[0].active, false) }],
  ['restore: boolean', 'PATCH', '/Users/{{user}}', patch({ op: 'replace', value: { active: true } }), ({ r, o, eq }) => { eq(r, 200); eq(o.active, true) }],
  ['another name', 'PATCH', '/Users/{{user}}', patch({ op: 'Replace', path: 'userName', value: 'entra2-{{n}}@{{suffix}}' }), ({ r, o, eq, get }) => { eq(r, 200); eq(o.userName, `entra2-${get('n')}@${get('suffix')}`) }],
  ['a group with an externalId', 'POST', '/Groups', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group', 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'], externalId: 'g-{{n}}', displayName: 'Entra {{n}}', meta: { resourceType: 'Group' } }, ({ r, o, eq, keep }) => { eq(r, 201); keep('group', o.id) }],
  ['group by displayName, without its members', 'GET', '/Groups?excludedAttributes=members&filter=displayName eq "Entra {{n}}"', undefined, ({ o, eq, get }) => { eq(o.totalResults, 1); eq(o.Resources[0].id, get('group')); eq(o.Resources[0].members, undefined) }],
  ['add a member', 'PATCH', '/Groups/{{group}}', patch({ op: 'Add', path: 'members', value: [{ $ref: null, value: '{{user}}' }] }), ({ r, eq }) => { pm.expect([200, 204]).to.include(r) }],
  ['is somebody a member', 'GET', '/Groups?filter=id eq "{{group}}" and members eq "{{user}}"', undefined, ({ r, o, eq }) => { eq(r, 200); eq(o.totalResults, 1) }],
  ['remove a member as it does', 'PATCH', '/Groups/{{group}}', patch({ op: 'Remove', path: 'members', value: [{ $ref: null, value: '{{user}}' }] }), ({ r, o, eq }) => { pm.expect([200, 204]).to.include(r); eq((o?.members ?? []).length, 0) }],
  ['rename', 'PATCH', '/Groups/{{group}}', patch({ op: 'Replace', path: 'displayName', value: 'Entra 2 {{n}}' }), ({ r, o, eq, get }) => { pm.expect([200, 204]).to.include(r); eq(o.displayName, `Entra 2 ${get('n')}`) }],
  ['delete the group', 'DELETE', '/Groups/{{group}}', undefined, ({ r, eq }) => { eq(r, 204) }],
  ['delete the user', 'DELETE', '/Users/{{user}}', undefined, ({ r, eq }) => { eq(r, 204) }],
  ['delete what is gone', 'DELETE', '/Users/{{user}}', undefined, ({ r, eq }) => { eq(r, 404) }],
]
