// Users, devices, accounts and roles with evrythng 6, in each of its scopes.
'use strict';

const { test, before } = require('node:test');
const { assert, latest, operatorKey, unique } = require('./platform.cjs');

const evrythng = latest();
const { Application, Device, Operator, TrustedApplication } = evrythng;
const password = 'turf cutters';
const address = () => `${unique('user').replace(' ', '.')}@museum.example`;
let app;
let operator;
let project;
let trusted;

before(async () => {
  operator = new Operator(operatorKey);
  await operator.init();
  project = await operator.project().create({ name: unique('project') });
  const application = await project.application().create({ name: 'Guide', socialNetworks: {} });
  app = new Application(application.appApiKey);
  await app.init();
  trusted = new TrustedApplication((await application.secretKey().read()).secretApiKey);
  await trusted.init();
});

test('the scopes find out who they are', () => {
  assert.ok(operator.email.includes('@'));
  assert.equal(app.name, 'Guide');
  assert.equal(trusted.id, app.id);
});

test('an operator changes themselves', async () => {
  const customFields = { theme: unique('dark') };
  assert.deepEqual((await operator.update({ customFields })).customFields, customFields);
});

test('a user is created and validated, logs in and out', async () => {
  const email = address();
  const created = await app.appUser().create({ email, password, firstName: 'Some' });
  const scope = await created.validate();
  assert.equal((await scope.read()).firstName, 'Some');
  const user = await app.login({ email, password });
  assert.equal(user.access.role, 'base_app_user');
  const thng = await user.thng().create({ name: unique('thng') });
  assert.equal((await user.thng(thng.id).read()).id, thng.id);
  assert.deepEqual(await user.role().read(), []);
  await user.logout();
  await assert.rejects(user.thng().read(), /"status":403/);
  await scope.thng().read();
});

test('an anonymous user acts at once', async () => {
  const user = await app.appUser().create({ anonymous: true });
  await user.init();
  const thng = await operator.thng().create({ name: unique('thng') }, { params: { project: project.id } });
  assert.equal((await user.action('scans').create({ thng: thng.id })).user, user.id);
});

test('a login that is wrong says why', async () => {
  const email = address();
  await assert.rejects(app.login({ email, password }), /"status":404/);
  const created = await app.appUser().create({ email, password });
  await assert.rejects(app.login({ email, password }), /"status":403/);
  await created.validate();
  await assert.rejects(app.login({ email, password: 'haystacks' }), /"status":401/);
});

test('users are read and iterated', async () => {
  await trusted.appUser().create({ anonymous: true });
  assert.ok((await trusted.user().read()).length > 0);
  let seen = 0;
  for await (const page of operator.user().setPerPage(2).pages()) seen += page.length;
  assert.ok(seen > 2);
});

test('a device looks after its thng', async () => {
  const thng = await trusted.thng().create({ name: unique('device') });
  const { thngApiKey } = await evrythng.api({
    url: '/auth/evrythng/thngs',
    method: 'post',
    apiKey: trusted.apiKey,
    data: { thngId: thng.id },
  });
  const device = new Device(thngApiKey);
  await device.init();
  assert.equal(device.id, thng.id);
  await device.property('temperature').update(52);
  assert.equal((await device.property('temperature').read())[0].value, 52);
  assert.equal((await device.action('scans').create({})).thng, thng.id);
});

test('an account shows its accesses, domains and short domains', async () => {
  const [account] = await operator.sharedAccount().read();
  const resource = operator.sharedAccount(account.id);
  const accesses = await resource.access().read();
  const own = accesses.find((each) => each.operator === operator.id);
  assert.equal(own.role, 'admin');
  assert.equal((await resource.access(own.id).read()).id, own.id);
  assert.equal((await resource.access(own.id).update({ role: 'admin' })).role, 'admin');
  assert.equal((await resource.shortDomain().read()).length, 1);
  assert.equal((await resource.domain().read())[0].accountId, account.id);
});

test('roles and their permissions are read and changed', async () => {
  const role = await operator.role().create({ name: unique('role') });
  const permission = operator.role(role.id).permission('global_read');
  assert.equal((await permission.update({ name: 'global_read', enabled: true })).enabled, true);
  assert.equal((await permission.read()).enabled, true);
  const ofUsers = await operator.role().create({ name: unique('role'), type: 'userInApp', version: 2 });
  const scoped = await operator.role(ofUsers.id).update({ scopes: { projects: [`+${project.id}`] } });
  assert.equal(scoped.id, ofUsers.id);
  const shown = await operator.role(ofUsers.id).setWithScopes().read();
  assert.deepEqual(shown.scopes, { roles: [], projects: [project.id] });
  await operator.role(role.id).delete();
  await assert.rejects(operator.role(role.id).read(), /"status":404/);
});
