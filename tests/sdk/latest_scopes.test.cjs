// What an application, a trusted application, a user, a device and a page's visitor reach with evrythng 6.
'use strict';

const { test, before } = require('node:test');
const { assert, eventually, latest, operatorKey, unique } = require('./platform.cjs');
const { address, password, prepared, signedIn } = require('./project.cjs');

const evrythng = latest();
const missing = /"status":404/;
const forbidden = /"status":403/;
let made;
let operator;
let app;
let trusted;
let user;
let device;

before(async () => {
  made = await prepared();
  operator = new evrythng.Operator(operatorKey);
  app = new evrythng.Application(made.appKey);
  trusted = new evrythng.TrustedApplication(made.trustedKey);
  user = new evrythng.User((await signedIn(made.appKey)).key);
  device = new evrythng.Device(made.deviceKey);
  await Promise.all([operator, app, trusted, user, device].map((each) => each.init()));
});

test('each scope knows what it is', () => {
  assert.deepEqual([app.id, app.project], [made.application.id, made.project.id]);
  assert.deepEqual([trusted.id, trusted.app, trusted.project], [made.application.id, made.application.id, made.project.id]);
  assert.equal(user.firstName, 'Ada');
  assert.deepEqual([device.id, device.name], [made.thng.id, made.thng.name]);
});

test('an application reads products and places and creates none', async () => {
  const place = await operator.place().setProject(made.project.id).create({ name: unique('place') });
  assert.equal((await app.product(made.product.id).read()).name, made.product.name);
  assert.ok((await app.place().read()).some((each) => each.id === place.id));
  await assert.rejects(app.product().create({ name: 'no' }), forbidden);
  await assert.rejects(app.action(made.type).create({ thng: made.thng.id }), forbidden);
  await assert.rejects(app.update({ description: 'no' }), forbidden);
});

for (const kind of ['product', 'thng', 'collection', 'place']) {
  test(`a trusted application creates, upserts, pages and deletes a ${kind}`, async () => {
    const name = unique(kind);
    const one = await trusted[kind]().upsert({ name }, name);
    assert.equal((await trusted[kind]().upsert({ tags: ['changed'] }, name)).id, one.id);
    const seen = [];
    for await (const page of trusted[kind]().setPerPage(1).pages()) seen.push(...page.map((each) => each.id));
    assert.ok(seen.includes(one.id));
    await one.delete();
    await assert.rejects(trusted[kind](one.id).read(), missing);
  });
}

test('a trusted application changes itself, keeps action types, creates actions and reads users', async () => {
  await trusted.update({ description: 'changed' });
  assert.equal((await operator.project(made.project.id).application(made.application.id).read()).description, 'changed');
  const name = `_${unique('Type').replace(' ', '')}`;
  await trusted.actionType().create({ name });
  const action = await trusted.action(name).create({ thng: made.thng.id });
  assert.equal((await trusted.action(name, action.id).read()).product, made.product.id);
  await trusted.actionType(name).delete();
  assert.equal((await trusted.user(user.id).read()).firstName, 'Ada');
});

test('a trusted application creates and activates users, who then sign in', async () => {
  const credentials = { email: address(), password };
  const user = await (await trusted.appUser().create(credentials)).validate();
  assert.equal((await app.login(credentials)).id, user.id);
  // The client's own trusted login throws after the answer: it takes the entity User for the scope of that name.
  await assert.rejects(trusted.login(credentials), /Resource must be a Resource/);
});

for (const kind of ['product', 'thng', 'collection']) {
  test(`a user creates, upserts and updates a ${kind} and does not delete it`, async () => {
    const name = unique(kind);
    const one = await user[kind]().upsert({ name }, name);
    await user[kind]().upsert({ description: 'changed' }, name);
    assert.equal((await user[kind](one.id).read()).description, 'changed');
    await assert.rejects(user[kind](one.id).delete(), forbidden);
    const { scopes } = await operator[kind](one.id).setWithScopes().read();
    assert.deepEqual(scopes.projects, [made.project.id]);
  });
}

test('a user sends actions of every kind and reads them', async () => {
  assert.equal((await user.actionType(made.type).read()).name, made.type);
  const thng = await user.thng().create({ name: unique('thng') });
  const own = await user.action(made.type).create({ thng: thng.id });
  assert.equal(own.user, user.id);
  await user.action('all').create([{ type: 'scans', thng: thng.id }]);
  await user.thng(thng.id).action(made.type).create({ customFields: { a: 1 } });
  const listed = await eventually(() => user.thng(thng.id).action('all').read(), (answer) => answer.length === 3);
  assert.ok(listed.every((each) => each.thng === thng.id));
});

test('a user updates properties and the location of a thng', async () => {
  const thng = await user.thng().create({ name: unique('thng') });
  await user.thng(thng.id).property('on').update(true);
  assert.equal((await user.thng(thng.id).property('on').read())[0].value, true);
  await user.thng(thng.id).locations().update([{ position: { type: 'Point', coordinates: [1, 2] } }]);
  assert.equal((await user.thng(thng.id).locations().read()).length, 1);
});

test('a user does not see what no project holds until it is moved there', async () => {
  const thng = await operator.thng().create({ name: unique('hidden') });
  await assert.rejects(user.thng(thng.id).read(), missing);
  await operator.thng(thng.id).rescope([made.project.id], ['all']);
  assert.equal((await user.thng(thng.id).read()).name, thng.name);
});

test('a device updates itself, its properties, its location and its actions', async () => {
  await device.update({ description: 'changed' });
  assert.equal((await device.read()).description, 'changed');
  await device.property('temp').update(21);
  await device.property().update({ on: true, temp: 22 });
  assert.deepEqual((await device.property('temp').read()).map((each) => each.value), [22, 21]);
  await device.locations().update([{ position: { type: 'Point', coordinates: [1, 2] } }]);
  assert.equal((await device.locations().read())[0].latitude, 2);
  assert.equal((await device.action('scans').create({ thng: made.thng.id })).thng, made.thng.id);
  await assert.rejects(device.update({ product: 'x' }), /"status":40[03]/);
});

test('a page records its visits as one anonymous user', async (context) => {
  const kept = new Map();
  const localStorage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
  Object.assign(globalThis, { localStorage, window: { location: { href: 'https://example.com/page' } } });
  context.after(() => ['localStorage', 'window'].forEach((name) => delete globalThis[name]));
  await operator.actionType().create({ name: '_PageVisited', scopes: { projects: ['all'] } });
  const page = new evrythng.ActionApp(made.appKey);
  await page.init();
  const visit = await page.pageVisited();
  assert.equal(visit.customFields.url, 'https://example.com/page');
  const scan = await page.createAction('scans', { thng: made.thng.id, shelf: 3 });
  assert.deepEqual([scan.thng, scan.customFields], [made.thng.id, { shelf: 3 }]);
  const again = new evrythng.ActionApp(made.appKey);
  await again.init();
  assert.equal((await again.getAnonymousUser()).id, visit.user);
  await assert.rejects(again.createAction('_Missing'), /The action type was not found/);
});
