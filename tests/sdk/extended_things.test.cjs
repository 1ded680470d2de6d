// Properties, locations, members of collections, actions on things and bulk updates with evrythng-extended.
'use strict';

const { test, before } = require('node:test');
const { assert, eventually, extended, operatorKey, refused, unique } = require('./platform.cjs');

const EVT = extended();
let operator;
let thng;

before(async () => {
  operator = new EVT.Operator(operatorKey);
  await operator.$init;
  thng = await operator.thng().create({ name: unique('thng') });
});

test('a property is updated by its value, an object and an array, and keeps its history', async () => {
  const property = operator.thng(thng.id).property('Temperature_C');
  assert.equal((await property.update(320))[0].value, 320);
  await property.update({ value: 'warm', timestamp: 142963528000 });
  await property.update([{ value: 1, timestamp: 142963528001 }, { value: false, timestamp: 142963535600 }]);
  assert.deepEqual((await property.read()).map((each) => each.value), [320, false, 1, 'warm']);
  const early = await property.read({ params: { from: 142963528001, to: 142963535600 } });
  assert.deepEqual(early.map((each) => each.value), [false, 1]);
  assert.equal((await operator.thng(thng.id).read()).properties.temperature_c, 320);
  await property.delete();
  assert.deepEqual(await property.read(), []);
});

test('several properties are updated by keys and values, and all of them deleted', async () => {
  const properties = thng.property();
  const answered = await properties.update([{ key: 'a', value: 1 }, { key: 'b', value: { c: [2] } }]);
  assert.deepEqual(answered.map((each) => [each.key, each.value]), [['a', 1], ['b', { c: [2] }]]);
  assert.deepEqual((await properties.read()).map((each) => each.key), ['a', 'b']);
  await properties.delete();
  assert.deepEqual(await properties.read(), []);
});

test('a history is iterated to its end', async () => {
  const batch = Array.from({ length: 65 }, (_, number) => ({ value: number, timestamp: 1000 + number }));
  const property = operator.thng(thng.id).property('long');
  await property.update(batch);
  const seen = [];
  const iterator = property.iterator({ params: { perPage: 30 } });
  for (let page = await iterator.next(); !page.done; page = await iterator.next()) seen.push(...page.value);
  assert.deepEqual(seen.map((each) => each.value), batch.map((each) => each.value).reverse());
});

test('a location is updated by position and by place, read and deleted', async () => {
  const place = await operator.place().create({ name: unique('place'), position: { type: 'Point', coordinates: [-6.26, 53.35] } });
  const location = operator.thng(thng.id).location();
  await location.update([{ position: { type: 'Point', coordinates: [-17.3, 36] }, timestamp: 1000 }]);
  await location.update([{ place: place.id }]);
  const found = await location.read();
  assert.deepEqual(found.map((each) => each.position.coordinates), [[-6.26, 53.35], [-17.3, 36]]);
  assert.equal(found[0].place, place.id);
  await location.delete();
  assert.deepEqual(await location.read(), []);
});

test('a collection takes thngs and collections in and lets them out', async () => {
  const parent = await operator.collection().create({ name: unique('parent') });
  const child = await operator.collection().create({ name: unique('child') });
  await parent.thng().update([thng.id]);
  assert.deepEqual((await parent.thng().read()).map((each) => each.id), [thng.id]);
  assert.deepEqual((await operator.thng(thng.id).read()).collections, [parent.id]);
  await parent.collection().create([child.id]);
  assert.deepEqual((await parent.collection().read()).map((each) => each.id), [child.id]);
  await refused(child.collection().create([parent.id]), 400);
  await parent.thng(thng.id).delete();
  assert.deepEqual(await parent.thng().read(), []);
  await parent.collection(child.id).delete();
  assert.deepEqual(await parent.collection().read(), []);
  await parent.thng().update([thng.id]);
  await parent.thng().delete();
  assert.deepEqual(await parent.thng().read(), []);
});

for (const kind of ['thng', 'product', 'collection']) {
  test(`an action is created and read on a ${kind}`, async () => {
    const resource = await operator[kind]().create({ name: unique(kind) });
    const action = await resource.action('scans').create();
    assert.equal(action[kind], resource.id);
    const listed = await eventually(() => resource.action('scans').read());
    assert.deepEqual(listed.map((each) => each.id), [action.id]);
    assert.equal((await resource.action('all', action.id).read())[kind], resource.id);
  });
}

test('everything that a filter matches is updated', async () => {
  const name = unique('Smart');
  const made = await operator.thng().create({ name });
  await operator.thng().update({ tags: ['updated'] }, { params: { filter: `name=${name}*` } });
  const found = await eventually(() => operator.thng().read({ params: { filter: `name=${name}&tags=updated` } }));
  assert.deepEqual(found.map((each) => each.id), [made.id]);
});
