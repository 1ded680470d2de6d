// What an application, a trusted application, a user and a device reach with evrythng-extended.
'use strict';

const { test, before } = require('node:test');
const { assert, eventually, extended, operatorKey, refused, unique } = require('./platform.cjs');
const { prepared, signedIn } = require('./project.cjs');

const EVT = extended();
let made;
let operator;
let app;
let trusted;
let user;
let device;

before(async () => {
  made = await prepared();
  operator = new EVT.Operator(operatorKey);
  app = new EVT.App(made.appKey);
  trusted = new EVT.TrustedApp(made.trustedKey);
  user = new EVT.User((await signedIn(made.appKey)).key);
  device = new EVT.Device({ apiKey: made.deviceKey, id: made.thng.id });
  await Promise.all([operator, app, trusted, user, device].map((each) => each.$init));
});

test('each scope knows what it is', () => {
  assert.deepEqual([app.id, app.project], [made.application.id, made.project.id]);
  assert.deepEqual([trusted.id, trusted.project], [made.application.id, made.project.id]);
  assert.equal(user.firstName, 'Ada');
  assert.equal(device.name, made.thng.name);
});

test('an application reads products and places and no thngs', async () => {
  const place = await operator.place().create({ name: unique('place') }, { params: { project: made.project.id } });
  assert.equal((await app.product(made.product.id).read()).name, made.product.name);
  assert.ok((await app.place().read()).some((each) => each.id === place.id));
  await refused(app.product().create({ name: 'no' }), 403);
  await refused(EVT.api({ url: '/thngs', authorization: made.appKey }), 403);
});

for (const kind of ['product', 'thng', 'collection', 'place']) {
  test(`a trusted application creates, reads, updates and deletes a ${kind}`, async () => {
    const one = await trusted[kind]().create({ name: unique(kind) });
    one.tags = ['changed'];
    await one.update();
    assert.deepEqual((await trusted[kind](one.id).read()).tags, ['changed']);
    assert.ok((await trusted[kind]().read()).some((each) => each.id === one.id));
    await one.delete();
    await refused(trusted[kind](one.id).read(), 404);
  });
}

test('a trusted application keeps action types, creates actions and reads users', async () => {
  const name = `_${unique('Type').replace(' ', '')}`;
  await trusted.actionType().create({ name });
  assert.equal((await trusted.actionType(name).read()).name, name);
  const action = await trusted.action(name).create({ thng: made.thng.id });
  assert.equal(action.product, made.product.id);
  assert.equal((await trusted.action(name, action.id).read()).id, action.id);
  await trusted.actionType(name).delete();
  assert.ok((await trusted.user().read()).some((each) => each.id === user.id));
  assert.equal((await trusted.user(user.id).read()).firstName, 'Ada');
});

for (const kind of ['product', 'thng', 'collection']) {
  test(`a user creates, reads and updates a ${kind} and does not delete it`, async () => {
    const one = await user[kind]().create({ name: unique(kind) });
    one.description = 'changed';
    await one.update();
    assert.equal((await user[kind](one.id).read()).description, 'changed');
    await refused(one.delete(), 403);
  });
}

test('a user puts thngs into a collection and takes one out', async () => {
  const collection = await user.collection().create({ name: unique('collection') });
  const thng = await user.thng().create({ name: unique('thng'), product: made.product.id });
  assert.equal((await thng.readProduct()).id, made.product.id);
  await collection.thng().update([thng.id]);
  assert.deepEqual((await collection.thng().read()).map((each) => each.id), [thng.id]);
  await collection.thng(thng.id).delete();
  assert.deepEqual(await collection.thng().read(), []);
});

test('a user reads action types and sends actions of every kind', async () => {
  assert.equal((await user.actionType(made.type).read()).name, made.type);
  assert.equal((await user.actionType('scans').read()).name, 'scans');
  await refused(user.actionType('_Missing').read(), 404);
  const single = await user.action(made.type).create({ thng: made.thng.id, customFields: { a: 1 } });
  assert.equal(single.user, user.id);
  const many = await user.action('all').create([{ type: 'scans', thng: made.thng.id }, { type: made.type, product: made.product.id }]);
  assert.deepEqual(many.map((each) => each.type), ['scans', made.type]);
  await user.thng(made.thng.id).action('scans').create({});
  await eventually(() => user.thng(made.thng.id).action('scans').read(), (answer) => answer.length === 2);
  assert.equal((await user.product(made.product.id).action('scans').create()).product, made.product.id);
});

test('a user updates properties and the location of a thng', async () => {
  const thng = await user.thng().create({ name: unique('thng') });
  await thng.property('on').update(true);
  assert.equal((await thng.property('on').read())[0].value, true);
  await thng.location().update([{ position: { type: 'Point', coordinates: [1, 2] } }]);
  assert.equal((await thng.location().read()).length, 1);
});

test('a user does not see what no project holds', async () => {
  const hidden = await operator.thng().create({ name: unique('hidden') });
  await refused(user.thng(hidden.id).read(), 404);
});

test('a device updates itself, its properties and its actions, and nothing else', async () => {
  await device.update({ description: 'changed' });
  assert.equal(device.description, 'changed');
  await device.property('temp').update(21);
  assert.equal((await device.property('temp').read())[0].value, 21);
  const action = await device.action('scans').create();
  assert.equal(action.thng, made.thng.id);
  const other = await operator.thng().create({ name: unique('other') }, { params: { project: made.project.id } });
  const foreign = await EVT.api({ url: `/thngs/${other.id}`, authorization: made.deviceKey }).catch((error) => error);
  assert.ok([403, 404].includes(foreign.status));
});

test('a device key is the same when it is asked for again, and nothing once it is deleted', async () => {
  const thng = await operator.thng().create({ name: unique('thng') }, { params: { project: made.project.id } });
  const make = () => EVT.api({ url: '/auth/evrythng/thngs', method: 'post', data: { thngId: thng.id }, authorization: made.trustedKey });
  const first = await make();
  assert.equal((await make()).thngApiKey, first.thngApiKey);
  const path = `/auth/evrythng/thngs/${thng.id}`;
  assert.equal((await EVT.api({ url: path, authorization: operatorKey })).thngApiKey, first.thngApiKey);
  await EVT.api({ url: path, method: 'delete', authorization: operatorKey });
  await refused(EVT.api({ url: path, authorization: operatorKey }), 404);
  await refused(EVT.api({ url: `/thngs/${thng.id}`, authorization: first.thngApiKey }), 403);
});
