// Projects, their applications, and what these say to their users, with evrythng-extended.
'use strict';

const { test, before } = require('node:test');
const { assert, extended, operatorKey, refused, unique } = require('./platform.cjs');
const { address, call, password, prepared, signedIn } = require('./project.cjs');

const EVT = extended();
let operator;
let made;
let app;

before(async () => {
  made = await prepared();
  operator = new EVT.Operator(operatorKey);
  app = new EVT.App(made.appKey);
  await Promise.all([operator.$init, app.$init]);
});

test('projects and their applications are created, listed, updated and deleted', async () => {
  const project = await operator.project().create({ name: unique('project'), tags: ['sdk'] });
  project.description = 'changed';
  assert.equal((await project.update()).description, 'changed');
  assert.equal((await operator.project().read({ fullResponse: true })).data[0].id, project.id);
  const application = await project.application().create({ name: unique('application'), socialNetworks: {} });
  assert.match(application.appApiKey, /^[A-Za-z0-9]{80}$/);
  application.tags = ['changed'];
  await application.update();
  const listed = await operator.project(project.id).application().read();
  assert.deepEqual(listed.map((each) => [each.id, each.tags]), [[application.id, ['changed']]]);
  const path = `/projects/${project.id}/applications/${application.id}/secretKey`;
  assert.match((await EVT.api({ url: path, authorization: operatorKey })).secretApiKey, /^[A-Za-z0-9]{80}$/);
  await operator.project(project.id).application(application.id).delete();
  await refused(operator.project(project.id).application(application.id).read(), 404);
  await project.delete();
  await refused(operator.project(project.id).read(), 404);
});

test('an iterator meets every project and application', async () => {
  for (let number = 0; number < 3; number += 1) {
    await operator.project(made.project.id).application().create({ name: unique('application'), socialNetworks: {} });
  }
  for (const [resource, least] of [[operator.project(), 1], [operator.project(made.project.id).application(), 4]]) {
    const seen = [];
    const iterator = resource.iterator({ params: { perPage: 2 } });
    for (let page = await iterator.next(); !page.done; page = await iterator.next()) seen.push(...page.value);
    assert.ok(seen.length >= least);
    assert.equal(new Set(seen.map((each) => each.id)).size, seen.length);
  }
});

test('a user is created, activated with the code, signs in, changes and leaves', async () => {
  const credentials = { email: address(), password };
  const created = await app.appUser().create({ ...credentials, firstName: 'Ada', lastName: 'L' });
  assert.equal(created.status, 'inactive');
  assert.match(created.activationCode, /^.{8}$/);
  await refused(app.login(credentials), 403);
  const activated = await created.validate();
  assert.equal(activated.evrythngUser, created.id);
  const { user } = await app.login(credentials);
  await user.$init;
  assert.equal(user.id, created.id);
  assert.equal(user.email, credentials.email);
  await user.update({ firstName: 'Grace' });
  assert.equal((await operator.user(user.id).read()).firstName, 'Grace');
  await refused(app.login({ ...credentials, password: 'not the password' }), 401);
  await refused(app.appUser().create(credentials), 409);
  await user.logout();
  await refused(user.product().read(), 403);
  await operator.user(created.id).delete();
  await refused(operator.user(created.id).read(), 404);
});

test('a code activates by the id of the user as well', async () => {
  const { id, activationCode } = await app.appUser().create({ email: address(), password });
  const wrong = activationCode === 'aaaaaaaa' ? 'bbbbbbbb' : 'aaaaaaaa';
  await assert.rejects(EVT.api({ url: `/auth/evrythng/users/${id}/validate`, method: 'post', data: { activationCode: wrong }, authorization: made.appKey }));
  const answer = await EVT.api({ url: `/auth/evrythng/users/${id}/validate`, method: 'post', data: { activationCode }, authorization: made.appKey });
  assert.match(answer.evrythngApiKey, /^[A-Za-z0-9]{80}$/);
});

test('users are listed with their number', async () => {
  const someone = await signedIn(made.appKey);
  const answer = await operator.user().read({ params: { project: made.project.id, filter: `email=${someone.email}` }, fullResponse: true });
  assert.equal(answer.count, 1);
  assert.equal(answer.data[0].id, someone.id);
});

test('a user reads the roles of the application and gives one to another user', async () => {
  const role = await call(operatorKey, 'POST', '/roles', { name: unique('role'), type: 'userInApp', scopes: { projects: [made.project.id], roles: ['base_app_user'] } });
  const [giver, taker] = [await signedIn(made.appKey), await signedIn(made.appKey)];
  const user = new EVT.User(giver.key);
  await user.$init;
  assert.ok((await user.role().read()).some((each) => each.id === role.id));
  const access = await user.access().create({ email: taker.email, role: role.id });
  assert.ok((await user.access().read()).some((each) => each.id === access.id));
  await user.access(access.id).delete();
  assert.ok(!(await user.access().read()).some((each) => each.id === access.id));
});
