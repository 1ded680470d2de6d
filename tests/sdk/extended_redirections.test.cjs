// Short links, redirectors, accounts and device keys by `EVT.api`, as the platform's examples for evrythng-extended do.
'use strict';

const { test, before } = require('node:test');
const { assert, extended, operatorKey, refused, shortDomain, unique } = require('./platform.cjs');
const { prepared } = require('./project.cjs');

const EVT = extended();
let made;
let operator;

before(async () => {
  made = await prepared();
  operator = new EVT.Operator(operatorKey);
  await operator.$init;
});

const ask = (url, method = 'get', data = undefined, more = {}) => EVT.api({ url, method, data, authorization: operatorKey, ...more });
const onDomain = (url, method, data) =>
  ask(url, method, data, { apiUrl: `https://${shortDomain}`, headers: { accept: 'application/json' } });

for (const kind of ['thng', 'product']) {
  test(`the redirector of a ${kind} is created, read, updated and deleted`, async () => {
    const path = `/${kind}s/${made[kind].id}/redirector`;
    await refused(ask(path), 404);
    const created = await ask(path, 'post', { defaultRedirectUrl: 'https://example.com/{evrythngId}' });
    assert.equal(created.defaultRedirectUrl, `https://example.com/${made[kind].id}`);
    assert.equal((await ask(path)).shortId, created.shortId);
    assert.equal((await ask(path, 'put', { defaultRedirectUrl: 'https://example.com' })).defaultRedirectUrl, 'https://example.com');
    await ask(path, 'delete');
    await refused(ask(path), 404);
  });
}

test('a short link is created, listed, read, updated and deleted on its domain', async () => {
  const thng = await operator.thng().create({ name: unique('thng') });
  const created = await onDomain('/redirections', 'post', { evrythngId: thng.id, type: 'thng', defaultRedirectUrl: 'https://example.com' });
  const path = `/redirections/${created.shortId}`;
  assert.equal((await onDomain(path, 'get')).evrythngId, thng.id);
  const listed = await ask('/redirections', 'get', undefined, {
    apiUrl: `https://${shortDomain}`,
    params: { evrythngId: thng.id },
    headers: { accept: 'application/json' },
  });
  assert.deepEqual(listed.map((each) => each.shortId), [created.shortId]);
  await onDomain(path, 'put', { defaultRedirectUrl: 'https://example.com/changed' });
  assert.equal((await onDomain(path, 'get')).defaultRedirectUrl, 'https://example.com/changed');
  await onDomain(path, 'delete');
  assert.ok([404, 410].includes((await onDomain(path, 'get').catch((error) => error)).status));
});

test('the rules of an account and of an application are read and replaced', async () => {
  const { rules } = await ask('/redirector');
  assert.equal((await ask('/redirector', 'put', { rules })).rules.length, rules.length);
  const path = `/projects/${made.project.id}/applications/${made.application.id}/redirector`;
  const sent = [{ name: 'Example Rule', match: 'name=ExampleThng', redirectUrl: 'https://example.com' }];
  await ask(path, 'put', { rules: sent });
  assert.deepEqual((await ask(path)).rules.map((each) => [each.name, each.match]), [['Example Rule', 'name=ExampleThng']]);
});

test('an account tells its short domains, its domains and who has access', async () => {
  const account = `/accounts/${operator.account.id}`;
  assert.ok((await ask(`${account}/shortDomains`)).includes(shortDomain));
  assert.equal((await ask(`${account}/domains`))[0].accountId, operator.account.id);
  const access = (await ask(`${account}/accesses`)).find((each) => each.operator === operator.id);
  assert.equal((await ask(`${account}/accesses/${access.id}`)).role, access.role);
  assert.equal((await ask(`${account}/accesses/${access.id}`, 'put', { role: access.role })).role, access.role);
});

test('an operator is read and its rate limits are told', async () => {
  assert.match((await ask(`/operators/${operator.id}`)).email, /@/);
  assert.ok(Array.isArray((await ask('/rateLimits'))[0].rateLimits));
});

test('the time of a zone is told to anybody', async () => {
  const { localTime, offset } = await EVT.api({ url: '/time', params: { tz: 'Europe/London' } });
  assert.ok(localTime && typeof offset === 'number');
});
