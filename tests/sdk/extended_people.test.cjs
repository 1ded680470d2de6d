// Users, devices, roles and accesses with evrythng-extended, in each of its scopes.
'use strict';

const { test, before } = require('node:test');
const { assert, eventually, extended, operatorKey, refused, unique } = require('./platform.cjs');

const EVT = extended();
const password = 'turf cutters';
const address = () => `${unique('user').replace(' ', '.')}@museum.example`;
let app;
let operator;
let project;
let trusted;

before(async () => {
  operator = new EVT.Operator(operatorKey);
  await operator.$init;
  project = await operator.project().create({ name: unique('project') });
  const application = await operator.project(project.id).application().create({ name: 'Guide', socialNetworks: {} });
  app = new EVT.App(application.appApiKey);
  await app.$init;
  const secret = await EVT.api({
    url: `/projects/${project.id}/applications/${application.id}/secretKey`,
    authorization: operatorKey,
  });
  trusted = new EVT.TrustedApp(secret.secretApiKey);
  await trusted.$init;
});

test('the scopes find out who they are', () => {
  assert.equal(app.name, 'Guide');
  assert.equal(trusted.id, app.id);
  assert.equal(app.project, project.id);
});

test('a user is created and validated in one step, logs in and out', async () => {
  const email = address();
  const created = await app.appUser().create({ email, password, firstName: 'Some', lastName: 'One' });
  assert.equal(created.activationCode.length, 8);
  const validated = await created.validate();
  assert.equal(validated.status, 'active');
  const { user } = await app.login({ email, password });
  assert.equal(user.firstName, 'Some');
  assert.equal(user.id, validated.evrythngUser);
  const updated = await user.update({ customFields: { foo: 'bar' } });
  assert.deepEqual(updated.customFields, { foo: 'bar' });
  const thng = await user.thng().create({ name: unique('thng') });
  assert.equal((await user.thng(thng.id).read()).id, thng.id);
  await user.product().read();
  await user.logout();
  await refused(user.thng().read(), 403);
});

test('an anonymous user acts at once', async () => {
  const user = await app.appUser().create({ anonymous: true });
  const thng = await operator.thng().create({ name: unique('thng') }, { params: { project: project.id } });
  const action = await user.action('scans').create({ thng: thng.id });
  assert.equal(action.user, user.id);
  await eventually(() => user.action('scans').read());
});

test('an operator lists, reads, updates and deletes users; a trusted application reads them', async () => {
  const created = await app.appUser().create({ email: address(), password, firstName: unique('first') });
  const found = await operator.user().read({ params: { filter: { firstName: created.firstName } } });
  assert.ok(Array.isArray(found));
  const read = await operator.user(created.id).read();
  assert.equal(read.app, app.id);
  read.firstName = 'Changed';
  assert.equal((await read.update()).firstName, 'Changed');
  assert.ok((await EVT.api({ url: '/users', authorization: trusted.apiKey })).some((each) => each.id === created.id));
  await read.delete();
  await refused(operator.user(created.id).read(), 404);
});

test('a device looks after its thng', async () => {
  const thng = await operator.thng().create({ name: unique('device') }, { params: { project: project.id } });
  const { thngApiKey } = await EVT.api({
    url: '/auth/evrythng/thngs',
    method: 'post',
    authorization: operatorKey,
    data: { thngId: thng.id },
  });
  const device = new EVT.Device({ apiKey: thngApiKey, id: thng.id });
  await device.$init;
  await device.update({ customFields: { foo: 'bar' } });
  await device.property('temperature').update(52);
  await device.property().update([{ key: 'status', value: true }]);
  assert.equal((await device.property('temperature').read())[0].value, 52);
  await device.action('scans').create();
  await eventually(() => device.action('all').read());
});

test('an operators role is made, given permissions and deleted', async () => {
  const role = await operator.role().create({ name: unique('role'), description: 'Engineer' });
  const update = { name: 'project_read', enabled: true, projects: [project.id] };
  const url = `/roles/${role.id}/permissions/project_read`;
  const set = await EVT.api({ url, method: 'PUT', authorization: operatorKey, data: update });
  assert.deepEqual(set, { ...update, projectScoped: true });
  const tree = await operator.role(role.id).permission().read();
  assert.deepEqual(tree.map((each) => each.enabled), [false, true]);
  assert.equal((await operator.role(role.id).update({ description: 'New' })).description, 'New');
  assert.deepEqual((await operator.role().read()).slice(0, 3).map((each) => each.id), ['admin', 'none', 'base_app_user']);
  await operator.role(role.id).delete();
  await refused(operator.role(role.id).read(), 404);
});

test('a users role takes paths, and decides what its users may do', async () => {
  const role = await operator.role().create({ type: 'userInApp', version: 2, name: unique('role') });
  const paths = [{ path: '/thngs', access: 'cr' }, { path: '/users/{user}', access: 'r' }]; // the client reads the user
  const [set] = await operator.role(role.id).permission().update(paths);
  assert.deepEqual([set.path, set.access], ['/thngs', 'cr']);
  const application = await operator.project(project.id).application().create({ name: 'x', defaultRole: role.id });
  const other = new EVT.App(application.appApiKey);
  await other.$init;
  const user = await other.appUser().create({ anonymous: true });
  await user.thng().create({ name: 'x' });
  await refused(user.product().read(), 403);
  await operator.project(project.id).application(application.id).update({ defaultRole: 'base_app_user' });
  await user.product().read();
});
