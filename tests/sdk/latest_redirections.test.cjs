// Short links of thngs and products, and the rules of redirectors, with evrythng 6.
'use strict';

const { test, before } = require('node:test');
const { assert, latest, operatorKey, shortDomain, unique } = require('./platform.cjs');
const { call, prepared } = require('./project.cjs');

const evrythng = latest();
let made;
let operator;

before(async () => {
  made = await prepared();
  operator = new evrythng.Operator(operatorKey);
  await operator.init();
});

for (const kind of ['thng', 'product']) {
  test(`a ${kind} gets a short link, follows a change of it, and loses it`, async () => {
    const one = await operator[kind]().create({ name: unique(kind) });
    const link = () => operator[kind](one.id).redirection();
    assert.equal(await link().read(), undefined);
    const created = await link().create({ defaultRedirectUrl: 'https://example.com/{shortId}' });
    assert.deepEqual([created.type, created.evrythngId, created.shortDomain], [kind, one.id, shortDomain]);
    const visit = async () => (await fetch(`https://${shortDomain}/${created.shortId}`, { redirect: 'manual' })).headers.get('location');
    assert.equal(await visit(), `https://example.com/${created.shortId}`);
    await link().update({ defaultRedirectUrl: 'https://example.com/changed' });
    assert.equal((await link().read()).defaultRedirectUrl, 'https://example.com/changed');
    assert.equal(await visit(), 'https://example.com/changed');
    await link().delete();
    assert.equal(await link().read(), undefined);
    await link().delete();
    assert.match((await link().update({ defaultRedirectUrl: 'https://example.com/again' })).shortId, /^[A-Za-z0-9]{8,10}$/);
  });
}

test('a link of one domain is reached when the domain is named', async () => {
  const one = await operator.thng().create({ name: unique('thng') });
  await operator.thng(one.id).redirection(shortDomain).create({ defaultRedirectUrl: 'https://example.com' });
  assert.equal((await operator.thng(one.id).redirection(shortDomain).read()).evrythngId, one.id);
});

test('the rules of an application are replaced, read and deleted', async () => {
  const redirector = () => operator.project(made.project.id).application(made.application.id).redirector();
  const rules = [{ name: 'rainy', match: 'thng.tags=rain', redirectUrl: 'https://example.com/rain' }];
  await redirector().update({ rules });
  assert.deepEqual((await redirector().read()).rules.map((each) => each.match), ['thng.tags=rain']);
  await redirector().delete();
  assert.deepEqual((await redirector().read()).rules, []);
});

test('the rules of the account are deleted and put back', async () => {
  const { rules } = await operator.redirector().read();
  await operator.redirector().delete();
  assert.deepEqual((await operator.redirector().read()).rules, []);
  assert.deepEqual((await operator.redirector().update({ rules })).rules, rules);
});

for (const kind of ['thng', 'product']) {
  test(`the redirector of a ${kind} is made, changed and removed at its alias`, async () => {
    const path = `/${kind}s/${made[kind].id}/redirector`;
    const link = await call(operatorKey, 'POST', path, { defaultRedirectUrl: 'https://example.com' });
    assert.match(link.shortId, /^[A-Za-z0-9]{8,10}$/);
    await call(operatorKey, 'PUT', path, { defaultRedirectUrl: 'https://example.com/changed' });
    assert.equal((await call(operatorKey, 'GET', path)).defaultRedirectUrl, 'https://example.com/changed');
    await call(operatorKey, 'DELETE', path);
    await assert.rejects(call(operatorKey, 'GET', path), /404/);
  });
}
