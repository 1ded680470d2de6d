// The published clients, set up for the server that the tests have started.
'use strict';

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { createRequire } = require('node:module');

// The packages are installed outside the repository's tracked files; SDK_HOME says where.
const installed = createRequire(`${process.env.SDK_HOME}/package.json`);

const apiUrl = process.env.FINGERPOST_API_URL;
const shortDomain = process.env.FINGERPOST_SHORT_DOMAIN;
const operatorKey = process.env.FINGERPOST_API_KEY;

/** evrythng-extended 4.7.2, with which the platform's own examples and Reactor scripts are written. */
function extended() {
  const EVT = installed('evrythng-extended');
  EVT.setup({ apiUrl, geolocation: false, quiet: true });
  return EVT;
}

/** evrythng 6.0.5, the latest. */
function latest() {
  const evrythng = installed('evrythng');
  evrythng.setup({ apiUrl, apiVersion: 1, defaultShortDomain: shortDomain, geolocation: false });
  return evrythng;
}

/** A name that no other test has. */
const unique = (word) => `${word} ${randomBytes(6).toString('hex')}`;

/** The error document that a call is refused with. */
async function refused(call, status) {
  const error = await call.then(
    () => assert.fail(`expected ${status}`),
    (reason) => reason,
  );
  assert.equal(error.status, status, JSON.stringify(error));
  assert.ok(error.errors.length > 0 && error.errors.every((each) => typeof each === 'string'));
  return error;
}

/** Ask until the answer is there: lists of actions and counts follow by moments. */
async function eventually(ask, isThere = (answer) => answer.length > 0) {
  for (let turn = 0; turn < 100; turn += 1) {
    const answer = await ask();
    if (isThere(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return assert.fail('it did not come');
}

module.exports = { apiUrl, assert, eventually, extended, latest, operatorKey, refused, shortDomain, unique };
