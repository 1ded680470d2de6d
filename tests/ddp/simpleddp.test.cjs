// npm `simpleddp` 2.2.4. When its connection is cut it unsubscribes, waits for the answer, and subscribes again.
'use strict';

const assert = require('node:assert/strict');
const { after, test } = require('node:test');
const { bookElsewhere, api, demo, installed, login, slot, until, url } = require('./museum.cjs');

const SimpleDdp = installed('simpleddp').default || installed('simpleddp');
const SocketConstructor = installed('ws');
const room = demo.rooms.second;
const open = [];

async function connect() {
  const server = new SimpleDdp({ endpoint: url, SocketConstructor, reconnectInterval: 100, autoReconnect: true });
  open.push(server);
  await server.connect();
  return server;
}

after(() => Promise.all(open.map((server) => server.disconnect())));

test('subscriptions fill, follow and end', async () => {
  const server = await connect();
  await server.call('login', login);
  const settings = server.subscribe('specificSettings', 'ALL');
  await settings.ready();
  assert.equal(server.collection('settings').fetch().length >= 3, true);
  const bookings = server.subscribe('allBookings', room.evokoId);
  await bookings.ready();
  const { document } = await bookElsewhere(slot(), 'Elsewhere', room);
  const mine = () => server.collection('bookings').filter((each) => each.id === document.id).fetch()[0];
  await until(mine);
  await api('DELETE', `/rooms/${room.id}/bookings/${document.id}`);
  await until(() => !mine());
  await settings.stop();
  assert.equal(server.collection('settings').fetch().length, 0);
});

test('a method that fails rejects with the error of the document', async () => {
  const server = await connect();
  await assert.rejects(server.call('createBooking', {}), { error: 401, reason: 'User is not authorized!' });
  await assert.rejects(server.call('dance'), { error: 404, reason: "Method 'dance' not found" });
});

test('after its connection was cut it logs in and its subscriptions are ready again', async () => {
  const server = await connect();
  const { token } = await server.call('login', login);
  const sub = server.subscribe('allRooms', 'ALL');
  await sub.ready();
  let came = 0;
  server.on('connected', () => {
    came += 1;
    server.call('login', { resume: token });
  });
  server.ddpConnection.socket.rawSocket.terminate();
  await until(() => came === 1);
  await until(() => sub.isReady() && server.collection('rooms').fetch().length >= 3);
});
