// Action types and actions with evrythng-extended, as an operator.
'use strict';

const { test, before } = require('node:test');
const { assert, eventually, extended, operatorKey, refused, unique } = require('./platform.cjs');
const { prepared } = require('./project.cjs');

const EVT = extended();
let made;
let operator;

before(async () => {
  made = await prepared();
  operator = new EVT.Operator(operatorKey);
  await operator.$init;
});

test('the built-in action types come first, and an own one is read by its name', async () => {
  const types = await operator.actionType().read();
  assert.ok(!types[0].name.startsWith('_'));
  assert.equal((await operator.actionType('implicitScans').read()).name, 'implicitScans');
  await refused(operator.actionType('_Missing').read(), 404);
});

test('an action type is created, updated, found by its name, and deleted', async () => {
  const name = `_${unique('Type').replace(' ', '')}`;
  await operator.actionType().create({ name, tags: ['sdk'] });
  await operator.actionType(name).update({ customFields: { a: 1 } });
  const read = await operator.actionType(name).read();
  assert.deepEqual([read.tags, read.customFields], [['sdk'], { a: 1 }]);
  await refused(operator.actionType().create({ name }), 409);
  await operator.actionType(name).delete();
  await refused(operator.actionType(name).read(), 404);
  await refused(operator.actionType('scans').delete(), 403);
});

test('an iterator meets every action of a type, the newest first', async () => {
  const created = [];
  for (let number = 0; number < 5; number += 1) {
    created.push((await operator.action(made.type).create({ thng: made.thng.id, customFields: { number } })).id);
  }
  await eventually(() => operator.action(made.type).read(), (answer) => answer.length === 5);
  const seen = [];
  const iterator = operator.action(made.type).iterator({ params: { perPage: 2, filter: `thng=${made.thng.id}` } });
  for (let page = await iterator.next(); !page.done; page = await iterator.next()) seen.push(...page.value.map((each) => each.id));
  assert.deepEqual(seen, created.reverse());
});

test('an action is read under its type and under all, with its context when asked, and deleted', async () => {
  const action = await operator.action('scans').create({ product: made.product.id, location: { latitude: 51.5, longitude: 0 }, locationSource: 'sensor' });
  assert.deepEqual([action.product, action.locationSource], [made.product.id, 'sensor']);
  assert.equal((await operator.action('all', action.id).read()).type, 'scans');
  const found = await operator.action('scans', action.id).read({ params: { context: true } });
  assert.equal(typeof found.context, 'object');
  await operator.action('scans', action.id).delete();
  await refused(operator.action('scans', action.id).read(), 404);
});

test('actions of several types are created together', async () => {
  const sent = [{ type: 'checkins', thng: made.thng.id }, { type: made.type, tags: ['sdk'] }];
  const answered = await operator.action('all').create(sent);
  assert.deepEqual(answered.map((each) => each.type), ['checkins', made.type]);
  await refused(operator.action('all').create([{ type: '_Missing', thng: made.thng.id }]), 404);
});
