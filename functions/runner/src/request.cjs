// Stands for the package `request` in evrythng-extended, which makes one kind of call of it.
'use strict';

const http = require('node:http');
const https = require('node:https');

/** The headers that a script's calls of the API carry on, whatever it does to the SDK's settings. */
function forwarded(url) {
  const { to, headers } = globalThis[Symbol.for('reactor.forwarded')] ?? {};
  return to && url.startsWith(`${to}/`) ? headers : {};
}

/** `options` are url, method, headers, body and timeout (ms); `callback(error, {statusCode, headers, body})`, once. */
module.exports = function request(options, callback) {
  let settle = (...result) => {
    settle = () => {};
    callback(...result);
  };
  const url = new URL(options.url);
  const headers = { ...options.headers, ...forwarded(options.url) };
  if (options.body) headers['content-length'] = Buffer.byteLength(options.body);
  const method = options.method.toUpperCase();
  const sent = (url.protocol === 'https:' ? https : http).request(url, { method, headers }, (answer) => {
    const parts = [];
    answer.on('data', (part) => parts.push(part));
    answer.on('error', settle);
    answer.on('end', () => {
      const body = Buffer.concat(parts).toString();
      settle(null, { statusCode: answer.statusCode, headers: answer.headers, body });
    });
  });
  sent.on('error', settle);
  if (options.timeout) sent.setTimeout(options.timeout, () => sent.destroy(new Error('ESOCKETTIMEDOUT')));
  sent.end(options.body || undefined);
};
