// The Reactor of an application with evrythng-extended: its script, its log, its schedules.
'use strict';

const { test, before } = require('node:test');
const { assert, eventually, extended, operatorKey, refused } = require('./platform.cjs');
const { prepared } = require('./project.cjs');

const EVT = extended();
let application;
let trusted;

before(async () => {
  const made = await prepared();
  const operator = new EVT.Operator(operatorKey);
  trusted = new EVT.TrustedApp(made.trustedKey);
  await Promise.all([operator.$init, trusted.$init]);
  application = await operator.project(made.project.id).application(made.application.id).read();
});

test('a fresh script is empty; an uploaded one is installed, and says how that goes', async () => {
  const { reactor } = application;
  const fresh = await reactor.script().read();
  assert.deepEqual([fresh.type, fresh.script], ['simple', '']);
  const script = 'function onActionCreated(event) { done(); }';
  const sent = await reactor.script().update({ type: 'simple', script, manifest: '{"dependencies": {}}' });
  assert.equal(sent.script, script);
  const status = await eventually(() => reactor.script().status().read(), (answer) => !answer.updating);
  assert.equal(status.error, undefined);
  const again = await reactor.script().read();
  again.script = `${script} // changed`;
  assert.equal((await again.update()).script, again.script);
});

test('two filters of one function are refused as duplicate', async () => {
  const script = '// @filter(onActionCreated) action.type=a\n// @filter(onActionCreated) action.type=b';
  const error = await refused(application.reactor.script().update({ script }), 400);
  assert.match(error.errors[0], /duplicate/);
});

test('entries are logged one and many at a time, read newest first, filtered and deleted', async () => {
  await trusted.reactor.log().create({ message: 'one', logLevel: 'info' });
  await trusted.reactor.log().create([{ message: 'two', logLevel: 'warn' }, { message: 'three', logLevel: 'error' }]);
  const log = application.reactor.log();
  assert.deepEqual((await log.read()).map((each) => each.message), ['three', 'two', 'one']);
  const some = await log.read({ params: { filter: 'logLevel=warn,error' } });
  assert.deepEqual(some.map((each) => each.logLevel), ['error', 'warn']);
  const iterator = log.iterator({ params: { perPage: 2 } });
  assert.equal((await iterator.next()).value.length, 2);
  assert.equal((await iterator.next()).value.length, 1);
  await log.delete();
  assert.deepEqual(await log.read(), []);
});

test('schedules are created, read, changed and deleted, by an operator and by the application', async () => {
  for (const reactor of [application.reactor, trusted.reactor]) {
    const made = await reactor.schedule().create({ event: { foo: 'bar' }, cron: '0 45 14 * * ?', description: 'tea' });
    assert.deepEqual([made.function, made.enabled], ['onScheduledEvent', true]);
    assert.deepEqual((await reactor.schedule(made.id).read()).event, { foo: 'bar' });
    assert.equal((await reactor.schedule(made.id).update({ enabled: false })).enabled, false);
    assert.deepEqual((await reactor.schedule().read()).map((each) => each.id), [made.id]);
    await reactor.schedule(made.id).delete();
    await refused(reactor.schedule(made.id).read(), 404);
  }
  await refused(trusted.reactor.schedule().create({ event: {}, executeAt: Date.now() - 1000 }), 400);
});
