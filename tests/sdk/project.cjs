// A project with an application, a user who has signed in and a device, made afresh for one suite.
'use strict';

const { apiUrl, assert, operatorKey, unique } = require('./platform.cjs');

const address = () => `${unique('someone').replace(' ', '.')}@example.com`;
const password = 'a long password';

/** One call without a client: the answer's document. */
async function call(key, method, path, body) {
  const answer = await fetch(apiUrl + path, {
    method,
    headers: { authorization: key, 'content-type': 'application/json', accept: 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

/** What an operator prepares before the other scopes have anything to work with. */
async function prepared() {
  const project = await call(operatorKey, 'POST', '/projects', { name: unique('project') });
  const home = `/projects/${project.id}/applications`;
  const application = await call(operatorKey, 'POST', home, { name: unique('application'), socialNetworks: {} });
  const { secretApiKey } = await call(operatorKey, 'GET', `${home}/${application.id}/secretKey`);
  const within = `?project=${project.id}`;
  const product = await call(operatorKey, 'POST', `/products${within}`, { name: unique('product') });
  const thng = await call(operatorKey, 'POST', `/thngs${within}`, { name: unique('thng'), product: product.id });
  const device = await call(operatorKey, 'POST', `/auth/evrythng/thngs${within}`, { thngId: thng.id });
  const type = `_${unique('Type').replace(' ', '')}`;
  await call(operatorKey, 'POST', `/actions${within}`, { name: type });
  return {
    project,
    application,
    product,
    thng,
    type,
    appKey: application.appApiKey,
    trustedKey: secretApiKey,
    deviceKey: device.thngApiKey,
  };
}

/** A user of the application with `appKey`, activated and signed in: the key and what the user gave. */
async function signedIn(appKey) {
  const credentials = { email: address(), password };
  const made = await call(appKey, 'POST', '/auth/evrythng/users', { ...credentials, firstName: 'Ada' });
  const { evrythngApiKey } = await call(appKey, 'POST', `/auth/evrythng/users/${made.evrythngUser}/validate`, {
    activationCode: made.activationCode,
  });
  return { id: made.evrythngUser, key: evrythngApiKey, ...credentials };
}

module.exports = { address, call, password, prepared, signedIn };
