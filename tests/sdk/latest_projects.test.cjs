// Accounts, projects, their applications, and what these say to their users, with evrythng 6.
'use strict';

const { test, before } = require('node:test');
const { assert, latest, operatorKey, shortDomain, unique } = require('./platform.cjs');
const { address, call, password, prepared, signedIn } = require('./project.cjs');

const evrythng = latest();
const missing = /"status":404/;
const forbidden = /"status":403/;
let made;
let operator;
let app;

before(async () => {
  made = await prepared();
  operator = new evrythng.Operator(operatorKey);
  app = new evrythng.Application(made.appKey);
  await Promise.all([operator.init(), app.init()]);
});

test('an account is listed, read, updated, and tells its domains and accesses', async () => {
  const [account] = await operator.sharedAccount().read();
  const one = () => operator.sharedAccount(account.id);
  const read = await one().read();
  assert.equal(read.name, account.name);
  assert.equal((await one().update({ name: read.name })).name, read.name);
  assert.ok((await one().shortDomain().read()).includes(shortDomain));
  const [domain] = await one().domain().read();
  assert.equal(domain.accountId, account.id);
  const mine = (await one().access().read()).find((each) => each.operator === operator.id);
  assert.equal((await one().access(mine.id).read()).role, mine.role);
  assert.equal((await one().access(mine.id).update({ role: mine.role })).role, mine.role);
});

test('projects and their applications are created, upserted, updated and deleted', async () => {
  const name = unique('project');
  const project = await operator.project().upsert({ name }, name);
  assert.equal((await operator.project().upsert({ tags: ['again'] }, name)).id, project.id);
  assert.deepEqual((await operator.project().find(name)).map((each) => [each.id, each.tags]), [[project.id, ['again']]]);
  const applications = () => operator.project(project.id).application();
  const application = await applications().create({ name: unique('application'), socialNetworks: {} });
  application.description = 'changed';
  await application.update();
  assert.deepEqual((await applications().read()).map((each) => each.description), ['changed']);
  const secret = await operator.project(project.id).application(application.id).secretKey().read();
  assert.match(secret.secretApiKey, /^[A-Za-z0-9]{80}$/);
  // Not as a TrustedApplication, which asks everything twice and lets nobody wait for the second time.
  const asTrusted = () => fetch(`${process.env.FINGERPOST_API_URL}/products`, { headers: { authorization: secret.secretApiKey } });
  assert.equal((await asTrusted()).status, 200);
  await operator.project(project.id).delete();
  await assert.rejects(operator.project(project.id).read(), missing);
  assert.equal((await asTrusted()).status, 403);
});

test('projects and applications come page by page', async () => {
  for (let number = 0; number < 2; number += 1) {
    await operator.project().create({ name: unique('project') });
    await operator.project(made.project.id).application().create({ name: unique('application'), socialNetworks: {} });
  }
  for (const resource of [operator.project(made.project.id).application(), operator.project()]) {
    const seen = [];
    for await (const page of resource.setPerPage(2).pages()) seen.push(...page.map((each) => each.id));
    assert.ok(seen.length >= 3);
    assert.equal(new Set(seen).size, seen.length);
  }
});

test('a role of application users is created, its permissions changed, rescoped and deleted', async () => {
  const role = await operator.role().create({ name: unique('role'), type: 'userInApp' });
  const accesses = async () => (await operator.role(role.id).permission().read()).map(({ path, access }) => `${path} ${access}`);
  const immutable = await accesses();
  await operator.role(role.id).permission().update([{ path: '/products', access: 'r' }]);
  assert.deepEqual(new Set(await accesses()), new Set([...immutable, '/products r']));
  await operator.role(role.id).rescope([made.project.id]);
  assert.deepEqual((await operator.role(role.id).setWithScopes().read()).scopes.projects, [made.project.id]);
  await operator.role(role.id).update({ description: 'changed' });
  assert.deepEqual((await operator.role().find(role.name)).map((each) => each.description), ['changed']);
  await operator.role(role.id).delete();
  await assert.rejects(operator.role(role.id).read(), missing);
});

test('a user is created, activated with the code, signs in, changes, is listed and leaves', async () => {
  const credentials = { email: address(), password };
  const created = await app.appUser().create({ ...credentials, firstName: 'Ada' });
  await assert.rejects(app.login(credentials), forbidden);
  const activated = await created.validate();
  assert.deepEqual([activated.id, activated.firstName], [created.id, 'Ada']);
  const user = await app.login(credentials);
  assert.deepEqual([user.id, user.email], [created.id, credentials.email]);
  await user.update({ firstName: 'Grace' });
  const listed = await operator.user().setFilter({ email: credentials.email }).read();
  assert.deepEqual(listed.map((each) => [each.id, each.firstName]), [[created.id, 'Grace']]);
  await assert.rejects(app.login({ ...credentials, password: 'not the password' }), /"status":401/);
  await assert.rejects(app.appUser().create(credentials), /"status":409/);
  await user.logout();
  await assert.rejects(user.product().read(), forbidden);
  await operator.user(created.id).update({ lastName: 'Hopper' });
  assert.equal((await operator.user(created.id).read()).lastName, 'Hopper');
  await operator.user(created.id).delete();
  await assert.rejects(operator.user(created.id).read(), missing);
});

test('a user is activated by its id and changes the password with the old one', async () => {
  const credentials = { email: address(), password };
  const { id, activationCode } = await app.appUser().create(credentials);
  const user = await app.appUser(id).validate(activationCode);
  assert.equal(user.id, id);
  await user.update({ oldPassword: password, password: 'another password' });
  assert.equal((await app.login({ ...credentials, password: 'another password' })).id, id);
});

test('users come page by page', async () => {
  for (let number = 0; number < 3; number += 1) await signedIn(made.appKey);
  const seen = [];
  for await (const page of operator.user().setProject(made.project.id).setPerPage(2).pages()) seen.push(...page.map((each) => each.id));
  assert.ok(seen.length >= 3);
  assert.equal(new Set(seen).size, seen.length);
});

test('a user reads the roles that the own role sees', async () => {
  const role = await call(operatorKey, 'POST', '/roles', {
    name: unique('role'),
    type: 'userInApp',
    scopes: { projects: [made.project.id], roles: ['base_app_user'] },
  });
  const user = new evrythng.User((await signedIn(made.appKey)).key);
  await user.init();
  assert.ok((await user.role().read()).some((each) => each.id === role.id));
});
