// The Reactor of an application with evrythng 6: its script, its log, its schedules.
'use strict';

const { test, before } = require('node:test');
const { assert, eventually, latest, operatorKey } = require('./platform.cjs');
const { prepared } = require('./project.cjs');

const evrythng = latest();
let made;
let operator;
let trusted;

before(async () => {
  made = await prepared();
  operator = new evrythng.Operator(operatorKey);
  trusted = new evrythng.TrustedApplication(made.trustedKey);
  await Promise.all([operator.init(), trusted.init()]);
});

const application = () => operator.project(made.project.id).application(made.application.id);

test('a script is read, uploaded and installed', async () => {
  assert.equal((await application().reactorScript().read()).script, '');
  const script = 'module.exports.onActionCreated = () => done();';
  assert.equal((await application().reactorScript().update({ script, manifest: '{}' })).script, script);
  const status = await eventually(
    () => application().reactorScript().status().read(),
    (answer) => !answer.updating,
  );
  assert.equal(status.running, status.version);
});

test('entries are logged by the application and read by the operator', async () => {
  await trusted.reactorLog(made.project.id, made.application.id).create([{ message: 'one' }, { message: 'two' }]);
  const log = operator.reactorLog(made.project.id, made.application.id);
  assert.deepEqual((await log.read()).map((each) => each.message), ['two', 'one']);
});

test('the application keeps its own schedules, and the operator sees them', async () => {
  const schedule = await trusted.reactorSchedule().create({ event: { a: 1 }, executeAt: Date.now() + 3_600_000 });
  assert.equal((await trusted.reactorSchedule(schedule.id).update({ description: 'soon' })).description, 'soon');
  assert.deepEqual((await application().reactorSchedule().read()).map((each) => each.id), [schedule.id]);
  await trusted.reactorSchedule(schedule.id).delete();
  assert.deepEqual(await trusted.reactorSchedule().read(), []);
});
