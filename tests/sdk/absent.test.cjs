// What the clients know of other versions of the platform, or without a word of documentation: not here, and said so.
'use strict';

const { test, before } = require('node:test');
const { assert, extended, latest, operatorKey, refused, unique } = require('./platform.cjs');
const { prepared } = require('./project.cjs');

const EVT = extended();
const evrythng = latest();
let made;
let operator;
let older;

before(async () => {
  made = await prepared();
  operator = new evrythng.Operator(operatorKey);
  older = new EVT.Operator(operatorKey);
  await Promise.all([operator.init(), older.$init]);
});

const LATER = {
  'the access policies': () => operator.accessPolicy().read(),
  'the access tokens': () => operator.accessToken().create({ name: 'one' }),
  'the key\'s own document': () => operator.me().read(),
  'the access of operators to an account': () => operator.sharedAccount('U2Eth9hqtYH9aBM530pCeswd').operatorAccess().read(),
  'the orders of digital identities': () => operator.adiOrder().create({ ids: ['one'] }),
  'the events of an order': () => operator.adiOrder('one').event().create({ type: 'encodings' }),
  'the purchase orders': () => operator.purchaseOrder().read(),
  'the shipment notices': () => operator.shipmentNotice().read(),
  'the containers of a notice': () => operator.shipmentNotice('one').container().read(),
  'the global rules': () => operator.rule('one').run({ a: 1 }),
  'the commission state of a thng': () => operator.thng(made.thng.id).commissionState().read(),
  'the commissioning of a thng': () => operator.thng(made.thng.id).action('commissions').create(),
  'the decommissioning of a thng': () => operator.thng(made.thng.id).action('decommissions').create(),
  'a thng by an identifier in place of its id': () => operator.thng('gs1:21:one').read(),
};

for (const [name, ask] of Object.entries(LATER)) {
  test(`${name}: 404 with the platform's error document`, async () => {
    const reason = await ask().then(() => assert.fail('it was answered'), (error) => error);
    const { status, errors, moreInfo } = JSON.parse(reason.message);
    assert.equal(status, 404, reason.message);
    assert.ok(errors.length > 0 && errors.every((each) => typeof each === 'string'));
    assert.equal(new URL(moreInfo).protocol, 'https:');
  });
}

test('an access token\'s scope starts, because it asks no more than any other key', async () => {
  const scope = new evrythng.AccessToken(operatorKey);
  assert.equal((await scope.init()).actor.type, 'operator');
  await assert.rejects(scope.me().read(), /"status":404/);
});

const UNDOCUMENTED = {
  'the shares of a thng': () => older.thng(made.thng.id).share().read(),
  'the schemas': () => older.schema().read(),
  'the policies of a role': () => older.role('base_app_user').policy().read(),
};

for (const [name, ask] of Object.entries(UNDOCUMENTED)) {
  test(`${name}: 404 with the platform's error document`, async () => {
    await refused(ask(), 404);
  });
}

test('an address that no client knows is refused in the same form', async () => {
  await refused(EVT.api({ url: `/${unique('nothing').replace(' ', '/')}`, authorization: operatorKey }), 404);
});
