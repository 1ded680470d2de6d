// Properties, locations, members of collections, actions on things and bulk updates with evrythng 6.
'use strict';

const { test, before } = require('node:test');
const { assert, eventually, latest, operatorKey, unique } = require('./platform.cjs');

const evrythng = latest();
let operator;
let thng;

before(async () => {
  operator = new evrythng.Operator(operatorKey);
  await operator.init();
  thng = await operator.thng().create({ name: unique('thng') });
});

test('properties are created and updated in every form the client knows', async () => {
  const created = await thng.property().create({ key: 'temp_c', value: 42 });
  assert.deepEqual(created.map((each) => [each.key, each.value]), [['temp_c', 42]]);
  const several = await thng.property().update({ on: true, temp: 26, custom: ['1', '2'] });
  assert.deepEqual(several.map((each) => [each.key, each.value]), [['on', true], ['temp', 26], ['custom', ['1', '2']]]);
  const [one] = await operator.thng(thng.id).property('temp_c').update(43);
  assert.equal(one.value, 43);
  await operator.thng(thng.id).property('temp_c').update({ value: 1, timestamp: 1000 });
  const history = await operator.thng(thng.id).property('temp_c').read();
  assert.deepEqual(history.map((each) => each.value).sort(), [1, 42, 43]);
  assert.equal((await operator.thng(thng.id).read()).properties.temp_c, 43);
  await operator.thng(thng.id).property('temp_c').delete();
  assert.deepEqual(await operator.thng(thng.id).property('temp_c').read(), []);
});

test('pages of a history follow one another', async () => {
  const batch = Array.from({ length: 5 }, (_, number) => ({ value: number, timestamp: 1000 + number }));
  await operator.thng(thng.id).property('long').update(batch);
  const pages = operator.thng(thng.id).property('long').setPerPage(2).pages();
  const seen = [];
  for (let page = await pages.next(); !page.done; page = await pages.next()) seen.push(...page.value);
  assert.deepEqual(seen.map((each) => each.value), [4, 3, 2, 1, 0]);
});

test('a location is updated, read and deleted', async () => {
  assert.deepEqual(await operator.thng(thng.id).locations().update(), []);
  const [answered] = await operator.thng(thng.id).locations().update([{ position: { type: 'Point', coordinates: [-17.3, 36] } }]);
  assert.deepEqual([answered.longitude, answered.latitude], [-17.3, 36]);
  assert.equal((await operator.thng(thng.id).locations().read()).length, 1);
  await operator.thng(thng.id).locations().delete();
  assert.deepEqual(await operator.thng(thng.id).locations().read(), []);
});

test('a collection takes thngs and collections in and lets them out', async () => {
  const parent = await operator.collection().create({ name: unique('parent') });
  const child = await operator.collection().create({ name: unique('child') });
  await operator.collection(parent.id).thng().update([thng.id]);
  assert.deepEqual((await operator.collection(parent.id).thng().read()).map((each) => each.id), [thng.id]);
  await operator.collection(parent.id).collection().create([child.id]);
  assert.deepEqual((await operator.collection(parent.id).collection().read()).map((each) => each.id), [child.id]);
  await assert.rejects(operator.collection(child.id).collection().create([parent.id]), /"status":400/);
  await operator.collection(parent.id).thng(thng.id).delete();
  await operator.collection(parent.id).collection(child.id).delete();
  assert.deepEqual(await operator.collection(parent.id).thng().read(), []);
  assert.deepEqual(await operator.collection(parent.id).collection().read(), []);
});

for (const kind of ['thng', 'product', 'collection']) {
  test(`an action is created and read on a ${kind}`, async () => {
    const resource = await operator[kind]().create({ name: unique(kind) });
    const action = await operator[kind](resource.id).action('scans').create();
    assert.equal(action[kind], resource.id);
    const listed = await eventually(() => operator[kind](resource.id).action('scans').read());
    assert.deepEqual(listed.map((each) => each.id), [action.id]);
  });
}

test('many are updated by their ids at once, and by a filter after the answer', async () => {
  const name = unique('Smart');
  const made = [await operator.thng().create({ name }), await operator.thng().create({ name })];
  const ids = made.map((each) => each.id);
  const answered = await operator.thng().setIds(ids).update({ description: 'both' });
  assert.deepEqual(answered.map((each) => [each.id, each.description]), ids.map((id) => [id, 'both']));
  assert.equal(await operator.thng().setFilter({ name }).update({ tags: ['updated'] }), undefined);
  const found = await eventually(
    () => operator.thng().setFilter(`name=${name}&tags=updated`).read(),
    (answer) => answer.length === 2,
  );
  assert.deepEqual(new Set(found.map((each) => each.id)), new Set(ids));
});
