// Products, thngs, collections, places and action types with evrythng 6, as an operator.
'use strict';

const { test, before } = require('node:test');
const { assert, eventually, latest, operatorKey, unique } = require('./platform.cjs');
const { prepared } = require('./project.cjs');

const evrythng = latest();
const missing = /"status":404/;
let made;
let operator;

before(async () => {
  made = await prepared();
  operator = new evrythng.Operator(operatorKey);
  await operator.init();
});

for (const kind of ['product', 'thng', 'collection', 'place']) {
  test(`a ${kind} is created, read, updated with all of itself, and deleted`, async () => {
    const one = await operator[kind]().create({ name: unique(kind), tags: ['sdk'], identifiers: { serial: '1' }, customFields: { a: [1] } });
    const read = await operator[kind](one.id).read();
    assert.deepEqual(read.customFields, { a: [1] });
    read.description = 'changed';
    await read.update();
    assert.equal((await operator[kind](one.id).read()).description, 'changed');
    assert.equal(await read.delete(), undefined);
    await assert.rejects(operator[kind](one.id).read(), missing);
  });

  test(`${kind}s come page by page, one by one, and until the caller has enough`, async () => {
    const tag = unique('a tag & more');
    const ids = [];
    for (let number = 0; number < 5; number += 1) {
      ids.push((await operator[kind]().create({ name: unique(kind), tags: [tag] })).id);
    }
    const wanted = () => operator[kind]().setPerPage(2).setFilter({ tags: tag });
    const sizes = [];
    for await (const page of wanted().pages()) sizes.push(page.length);
    assert.deepEqual(sizes, [2, 2, 1]);
    const seen = [];
    await wanted().stream((each, index) => {
      assert.equal(index, seen.length);
      seen.push(each.id);
    });
    assert.deepEqual(seen.sort(), ids.sort());
    const few = [];
    await wanted().stream((each) => few.push(each) === 3);
    assert.equal(few.length, 3);
    const totals = [];
    await wanted().streamPages((page, total) => {
      totals.push([total, page.length]);
    });
    assert.deepEqual(totals, [[0, 2], [2, 2], [4, 1]]);
  });

  test(`a ${kind} is found and upserted by its name and by an identifier`, async () => {
    const name = unique(kind);
    const serial = unique('serial');
    const created = await operator[kind]().upsert({ name, identifiers: { serial } }, name);
    const again = await operator[kind]().upsert({ name, description: 'by name' }, name);
    assert.equal(again.id, created.id);
    const third = await operator[kind]().upsert({ tags: ['by identifier'] }, { serial });
    assert.equal(third.id, created.id);
    const found = await operator[kind]().find({ serial });
    assert.deepEqual(found.map((each) => [each.id, each.description, each.tags]), [[created.id, 'by name', ['by identifier']]]);
    assert.deepEqual((await operator[kind]().find(name)).map((each) => each.id), [created.id]);
    await operator[kind]().create({ name });
    await assert.rejects(operator[kind]().upsert({ name }, name), /More than one resource/);
    await operator[kind]().upsert({ name, description: 'one of them' }, name, true);
  });

  test(`a ${kind} is moved into a project and out of it`, async () => {
    const one = await operator[kind]().create({ name: unique(kind) });
    await operator[kind](one.id).rescope([made.project.id], []);
    const inside = await operator[kind](one.id).setWithScopes().read();
    assert.deepEqual(inside.scopes, { users: [], projects: [made.project.id] });
    assert.equal((await operator[kind](one.id).read()).scopes, undefined);
    const listed = await operator[kind]().setProject(made.project.id).setFilter({ name: one.name }).read();
    assert.deepEqual(listed.map((each) => each.id), [one.id]);
    await operator[kind](one.id).rescope([], ['all']);
    const outside = await operator[kind](one.id).setWithScopes().read();
    assert.deepEqual(outside.scopes, { users: ['all'], projects: [] });
  });
}

test('a resource is created in a project', async () => {
  const thng = await operator.thng().setProject(made.project.id).create({ name: unique('thng') });
  assert.deepEqual((await operator.thng(thng.id).setWithScopes().read()).scopes.projects, [made.project.id]);
});

test('several are read by their ids', async () => {
  const ids = [made.thng.id, (await operator.thng().create({ name: unique('thng') })).id];
  const found = await operator.thng().setIds(ids).read();
  assert.deepEqual(new Set(found.map((each) => each.id)), new Set(ids));
});

test('places near a point come with the nearest first', async () => {
  const longitude = Math.random() * 170;
  const at = (east) => ({ name: unique('place'), position: { type: 'Point', coordinates: [longitude + east, 60.5] } });
  const far = await operator.place().create(at(0.01));
  const near = await operator.place().create(at(0.001));
  const found = await operator.place().read({ params: { lat: 60.5, lon: longitude, maxDist: 0.9 } });
  assert.deepEqual(found.map((each) => each.id), [near.id, far.id]);
});

test('an action type is created, read by its name, updated, rescoped and deleted', async () => {
  const name = `_${unique('Type').replace(' ', '')}`;
  const type = await operator.actionType().create({ name, customFields: { by: 'a test' } });
  assert.equal(type.name, name);
  assert.deepEqual((await operator.actionType(name).read()).customFields, { by: 'a test' });
  await operator.actionType(name).update({ tags: ['changed'] });
  assert.deepEqual((await operator.actionType(name).read()).tags, ['changed']);
  await operator.actionType(name).update({ scopes: { projects: ['+all'] } });
  const [scoped] = await operator.actionType().setFilter({ name }).setWithScopes().read();
  assert.deepEqual(scoped.scopes.projects, ['all']);
  await operator.actionType(name).delete();
  await assert.rejects(operator.actionType(name).read(), (error) => error.status === 404);
  assert.equal((await operator.actionType('scans').read()).name, 'scans');
  assert.equal((await operator.actionType().read())[0].name.startsWith('_'), false);
});

test('actions are created alone and together, read with their context, and deleted', async () => {
  const { type, thng, product } = made;
  const action = await operator.action(type).create({ thng: thng.id, customFields: { a: 1 } });
  const many = await operator.action('all').create([{ type, thng: thng.id }, { type: 'scans', product: product.id }]);
  assert.deepEqual(many.map((each) => each.type), [type, 'scans']);
  const listed = await eventually(() => operator.action(type).read(), (answer) => answer.length === 2);
  assert.deepEqual(new Set(listed.map((each) => each.id)), new Set([action.id, many[0].id]));
  assert.equal(typeof (await operator.action(type, action.id).setContext().read()).context, 'object');
  assert.deepEqual((await operator.action('all').setFilter({ product: product.id, type: 'scans' }).read()).map((each) => each.id), [many[1].id]);
  await operator.action(type, action.id).delete();
  await assert.rejects(operator.action(type, action.id).read(), missing);
});
