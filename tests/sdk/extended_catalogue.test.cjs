// Products, thngs, collections and places with evrythng-extended, as an operator.
'use strict';

const { test, before } = require('node:test');
const { assert, extended, operatorKey, refused, unique } = require('./platform.cjs');

const EVT = extended();
let operator;

before(async () => {
  operator = new EVT.Operator(operatorKey);
  await operator.$init;
});

test('an operator knows who it is and its account', () => {
  assert.match(operator.id, /^[A-Za-z0-9]{24}$/);
  assert.equal(operator.account.name, 'First account');
});

for (const kind of ['product', 'thng', 'collection', 'place']) {
  test(`a ${kind} is created, read, updated with all of itself, and deleted`, async () => {
    const made = await operator[kind]().create({
      name: unique(kind),
      description: 'made by a test',
      tags: ['sdk', 'test'],
      customFields: { size: { w: 3 }, on: true },
      identifiers: { serial: '0123' },
    });
    assert.match(made.id, /^[A-Za-z0-9]{24}$/);
    assert.equal(typeof made.createdAt, 'number');
    const read = await operator[kind](made.id).read();
    assert.deepEqual(read.customFields, { size: { w: 3 }, on: true });
    read.description = 'changed';
    await read.update();
    assert.equal((await operator[kind](made.id).read()).description, 'changed');
    await read.delete();
    await refused(operator[kind](made.id).read(), 404);
  });

  test(`an iterator over ${kind}s meets each once, whatever the filter holds`, async () => {
    const tag = unique('it&er=at,or');
    const names = new Set();
    for (let number = 0; number < 7; number += 1) {
      names.add((await operator[kind]().create({ name: unique(kind), tags: [tag] })).id);
    }
    const seen = [];
    const filter = `tags=${tag.replace(/[&=,]/g, '\\$&')}`;
    const iterator = operator[kind]().iterator({ params: { perPage: 3, filter } });
    for (let page = await iterator.next(); !page.done; page = await iterator.next()) {
      seen.push(...page.value.map((each) => each.id));
    }
    assert.equal(seen.length, 7);
    assert.deepEqual(new Set(seen), names);
  });
}

test('a full response tells how many there are', async () => {
  const tag = unique('counted');
  await operator.place().create({ name: unique('place'), tags: [tag] });
  const answer = await operator.place().read({ params: { filter: `tags=${tag}` }, fullResponse: true });
  assert.equal(answer.count, 1);
  assert.equal(answer.data.length, 1);
});

test('places near a point come with the nearest first', async () => {
  const far = await operator.place().create({ name: unique('far'), location: undefined, position: { type: 'Point', coordinates: [100.01, 1.01] } });
  const near = await operator.place().create({ name: unique('near'), position: { type: 'Point', coordinates: [100.001, 1.001] } });
  const found = await operator.place().read({ params: { lat: 1, lon: 100, maxDist: 5 } });
  assert.deepEqual(found.map((each) => each.id), [near.id, far.id]);
});

test('what is wrong with a document is told in the platform\'s own form', async () => {
  const error = await refused(operator.thng().create({ name: unique('thng'), tags: ['x'.repeat(61)] }), 400);
  assert.match(error.errors[0], /tag/);
});
