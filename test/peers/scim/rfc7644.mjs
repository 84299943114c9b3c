// RFC 7644, section by section.
const user = 'urn:ietf:params:scim:schemas:core:2.0:User'
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const patch = (...Operations) => ({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations })
const name = (who) => `${who}-{{n}}@{{suffix}}`
const failed = (status, type) => `({ r, o, eq }) => {
  eq(r, ${status}); eq(o.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error']); eq(o.status, '${status}'); eq(o.scimType, ${type ? `'${type}'` : 'undefined'})
}`

export default [
  // 3.3
  ['create', 'POST', '/Users', { schemas: [user, enterprise], userName: name('rfc'), externalId: 'rfc', name: { givenName: 'Barbara', familyName: 'Jensen' }, emails: [{ value: 'rfc@example.com', type: 'work', primary: true }, { value: 'home@example.com', type: 'home' }], [enterprise]: { department: 'Tours' } },
    ({ r, o, eq, head, keep, pm }) => {
      eq(r, 201); eq(head('Location'), o.meta.location); eq(head('ETag'), o.meta.version); eq(o.active, true); eq(o.meta.resourceType, 'User'); pm.expect(o.password).to.equal(undefined)
      keep('user', o.id); keep('version', o.meta.version)
    }],
  ['a second user', 'POST', '/Users', { schemas: [user], userName: name('other') }, ({ r, o, eq, keep }) => { eq(r, 201); keep('other', o.id) }],
  ['a name that is taken, in capitals', 'POST', '/Users', { schemas: [user], userName: name('RFC') }, failed(409, 'uniqueness')],
  ['without a name', 'POST', '/Users', { schemas: [user], displayName: 'x' }, failed(400, 'invalidValue')],
  ['no JSON', 'POST', '/Users', '{"userName":', failed(400, 'invalidSyntax')],
  // 3.4.1
  ['read', 'GET', '/Users/{{user}}', undefined, ({ r, o, eq, get }) => { eq(r, 200); eq(o.id, get('user')); eq(o.meta.version, get('version')); eq(o.emails.length, 2) }],
  ['nobody', 'GET', '/Users/2819c223-7f76-453a-919d-413861904646', undefined, failed(404)],
  // 3.4.2.2
  ...[
    ['userName eq', `userName eq "${name('RFC')}"`], ['and, or, not, parentheses', `not (active eq false) and (userName eq "${name('rfc')}" or userName eq "nobody")`],
    ['a value filter', `emails[type eq "home" and value co "home@"] and userName eq "${name('rfc')}"`], ['sw', `userName sw "rfc-{{n}}"`], ['ew and co', `userName ew "{{suffix}}" and userName co "rfc-{{n}}@"`],
    ['pr', `name.familyName pr and userName sw "rfc-{{n}}"`], ['an extension', `${enterprise}:department eq "tours" and userName sw "rfc-{{n}}"`],
    ['a time', `meta.created gt "2020-01-01T00:00:00Z" and userName sw "rfc-{{n}}"`], ['a full name of an attribute', `${user}:userName eq "${name('rfc')}"`],
  ].map(([what, filter]) => [`filter: ${what}`, 'GET', `/Users?filter=${encodeURIComponent(filter).replace(/%7B%7B/g, '{{').replace(/%7D%7D/g, '}}')}`, undefined,
    ({ r, o, eq, get }) => { eq(r, 200); eq(o.totalResults, 1); eq(o.Resources[0].id, get('user')) }]),
  ['a filter that is none', 'GET', '/Users?filter=userName%20is%20%22x%22', undefined, failed(400, 'invalidFilter')],
  ['a filter that finds nobody', 'GET', '/Users?filter=userName%20eq%20%22nobody%22', undefined,
    ({ r, o, eq }) => { eq(r, 200); eq(o.schemas, ['urn:ietf:params:scim:api:messages:2.0:ListResponse']); eq(o.totalResults, 0); eq(o.Resources ?? [], []) }],
  // 3.4.2.3 and 3.4.2.4
  ['sorted, first page', 'GET', '/Users?filter=userName%20co%20%22-{{n}}@%22&sortBy=userName&sortOrder=descending&startIndex=1&count=1', undefined,
    ({ r, o, eq, get }) => { eq(r, 200); pm.expect(o.totalResults).to.be.at.least(2); eq(o.itemsPerPage, 1); eq(o.startIndex, 1); eq(o.Resources.length, 1); pm.expect(o.Resources[0].id).not.to.equal('') }],
  ['count 0', 'GET', '/Users?count=0', undefined, ({ r, o, eq }) => { eq(r, 200); eq((o.Resources ?? []).length, 0); pm.expect(o.totalResults).to.be.at.least(2) }],
  ['behind the last', 'GET', '/Users?startIndex=100000', undefined, ({ r, o, eq }) => { eq(r, 200); eq((o.Resources ?? []).length, 0) }],
  // 3.4.2.5 and 3.9
  ['attributes', 'GET', '/Users/{{user}}?attributes=userName,name.familyName', undefined, ({ o, eq }) => { eq(Object.keys(o).sort(), ['id', 'name', 'schemas', 'userName']); eq(o.name, { familyName: 'Jensen' }) }],
  ['excludedAttributes', 'GET', '/Users/{{user}}?excludedAttributes=emails,id', undefined, ({ o, eq, get }) => { eq(o.emails, undefined); eq(o.id, get('user')) }],
  // 3.4.3
  ['.search', 'POST', '/Users/.search', { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], filter: `userName eq "${name('rfc')}"`, attributes: ['userName'] }, ({ r, o, eq }) => { eq(r, 200); eq(o.totalResults, 1); eq(o.Resources[0].emails, undefined) }],
  // 3.5.1
  ['replace', 'PUT', '/Users/{{user}}', { schemas: [user], userName: name('rfc'), id: 'ignored', emails: [{ value: 'new@example.com', type: 'work', primary: true }] },
    ({ r, o, eq, get }) => { eq(r, 200); eq(o.id, get('user')); eq(o.name, undefined); eq(o.externalId, undefined); eq(o.emails.length, 1) }],
  ['replace without a name', 'PUT', '/Users/{{user}}', { schemas: [user], displayName: 'x' }, failed(400, 'invalidValue')],
  // 3.5.2
  ['PATCH: several', 'PATCH', '/Users/{{user}}', patch({ op: 'add', path: 'name', value: { familyName: 'B' } }, { op: 'replace', path: 'name.familyName', value: 'Jensen' }, { op: 'add', value: { title: 'Guide', nickName: 'Babs' } }, { op: 'remove', path: 'nickName' }),
    ({ r, o, eq }) => { eq(r, 200); eq(o.name.familyName, 'Jensen'); eq(o.title, 'Guide'); eq(o.nickName, undefined) }],
  ['PATCH: a value by a filter', 'PATCH', '/Users/{{user}}', patch({ op: 'replace', path: 'emails[type eq "work"].value', value: 'b@example.com' }, { op: 'add', path: 'emails', value: [{ value: 'c@example.com', type: 'home' }] }, { op: 'remove', path: 'emails[type eq "home"]' }),
    ({ o, eq }) => { eq(o.emails.map((e) => e.value), ['b@example.com']) }],
  ['PATCH: all or none', 'PATCH', '/Users/{{user}}', patch({ op: 'replace', path: 'title', value: 'Lost' }, { op: 'replace', path: 'emails[type eq "other"].value', value: 'x@example.com' }), failed(400, 'noTarget')],
  ['nothing of it was done', 'GET', '/Users/{{user}}', undefined, ({ o, eq, keep }) => { eq(o.title, 'Guide'); keep('version', o.meta.version) }],
  ['PATCH: no such path', 'PATCH', '/Users/{{user}}', patch({ op: 'replace', path: 'shoeSize', value: 4 }), failed(400, 'invalidPath')],
  ['PATCH: what is read-only', 'PATCH', '/Users/{{user}}', patch({ op: 'replace', path: 'meta.created', value: '2020-01-01T00:00:00Z' }), failed(400, 'mutability')],
  ['PATCH: remove without a path', 'PATCH', '/Users/{{user}}', patch({ op: 'remove' }), failed(400, 'noTarget')],
  ['PATCH: no such operation', 'PATCH', '/Users/{{user}}', patch({ op: 'move', path: 'title' }), failed(400, 'invalidSyntax')],
  // groups
  ['a group', 'POST', '/Groups', { displayName: 'Guides {{n}}', members: [{ value: '{{user}}' }] }, ({ r, o, eq, keep, get }) => { eq(r, 201); eq(o.members.map((m) => m.value), [get('user')]); keep('group', o.id) }],
  ['members by PATCH', 'PATCH', '/Groups/{{group}}', patch({ op: 'add', path: 'members', value: [{ value: '{{other}}' }] }, { op: 'remove', path: 'members[value eq "{{user}}"]' }), ({ r, o, eq, get }) => { eq(r, 200); eq(o.members.map((m) => m.value), [get('other')]) }],
  ['the user has the group', 'GET', '/Users/{{other}}?attributes=groups', undefined, ({ o, eq, get, pm }) => { pm.expect(o.groups.map((g) => g.value)).to.include(get('group')) }],
  ['a member that is nobody', 'PATCH', '/Groups/{{group}}', patch({ op: 'add', path: 'members', value: [{ value: 'nobody' }] }), failed(400, 'invalidValue')],
  // 3.7
  ['bulk with a bulkId', 'POST', '/Bulk', { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'], Operations: [
    { method: 'POST', path: '/Groups', bulkId: 'g', data: { displayName: 'Bulk {{n}}', members: [{ type: 'User', value: 'bulkId:u' }] } }, { method: 'POST', path: '/Users', bulkId: 'u', data: { userName: name('bulk') } }, { method: 'DELETE', path: '/Users/nobody' }] },
    ({ r, o, eq }) => { eq(r, 200); eq(o.Operations.map((x) => x.status).sort(), ['201', '201', '404']) }],
  // 3.14
  ['another version', 'PATCH', '/Users/{{user}}', patch({ op: 'replace', path: 'title', value: 'x' }), ({ r, eq }) => { eq(r, 200) }],
  // 4
  ['ServiceProviderConfig', 'GET', '/ServiceProviderConfig', undefined, ({ o, eq }) => { for (const can of ['patch', 'bulk', 'filter', 'sort', 'etag']) eq(o[can].supported, true, can) }],
  ['ResourceTypes', 'GET', '/ResourceTypes', undefined, ({ o, pm }) => { pm.expect(o.Resources.map((t) => t.name)).to.include.members(['User', 'Group']) }],
  ['Schemas', 'GET', '/Schemas', undefined, ({ o, pm }) => { pm.expect(o.Resources.map((s) => s.id)).to.include('urn:ietf:params:scim:schemas:core:2.0:User') }],
  ['discovery is not filtered', 'GET', '/Schemas?filter=id%20pr', undefined, ({ r, eq }) => { eq(r, 403) }],
  // 3.6
  ['delete', 'DELETE', '/Users/{{user}}', undefined, ({ r, o, eq }) => { eq(r, 204); eq(o, undefined) }],
  ['it is gone', 'GET', '/Users/{{user}}', undefined, failed(404)],
  ['once more', 'DELETE', '/Users/{{user}}', undefined, failed(404)],
  ['delete the group', 'DELETE', '/Groups/{{group}}', undefined, ({ r, eq }) => { eq(r, 204) }],
]
