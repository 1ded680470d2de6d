// The published clients, set up for the server that the tests have started, and a second API to book through.
'use strict';

const { createHash } = require('node:crypto');
const { createRequire } = require('node:module');
const { readFileSync } = require('node:fs');

// The packages are installed outside the repository's tracked files; DDP_HOME says where.
const installed = createRequire(`${process.env.DDP_HOME}/package.json`);
const demo = JSON.parse(readFileSync(process.env.FINGERPOST_DEMO_FILE, 'utf8'));
const address = new URL(demo.apiUrl);
const url = `ws://${address.host}/websocket`;

const DAY = 86400000;
let days = 0;

/** An hour that no other test books, from noon on; past quarter hours as panels have them. */
function slot(minutes = 30) {
  days += 1;
  const start = (Math.floor(Date.now() / DAY) + 30 + days) * DAY + DAY / 2;
  const text = (at) => new Date(at).toISOString();
  return { startDate: text(start), endDate: text(start + minutes * 60000) };
}

const login = {
  user: { username: demo.ddp.username },
  password: { digest: createHash('sha256').update(demo.ddp.password).digest('hex'), algorithm: 'sha-256' },
};

/** Another API on the same bookings. */
async function api(method, path, body) {
  const headers = { authorization: demo.operatorApiKey, 'content-type': 'application/json' };
  const answer = await fetch(`${demo.apiUrl}${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, document: text ? JSON.parse(text) : null };
}

const bookElsewhere = ({ startDate, endDate }, title = 'Stand-up', room = demo.rooms.main) =>
  api('POST', `/rooms/${room.id}/bookings`, { start: startDate, end: endDate, title });

/** Wait until something holds; the test's own time limit ends it. */
async function until(holds) {
  for (;;) {
    const found = await holds();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 10));
  }
}

module.exports = { installed, demo, address, url, slot, login, api, bookElsewhere, until };
