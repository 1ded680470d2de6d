// npm `ddp` 0.12.1, the client that the Evoko document names, as that document uses it: its version is a number.
'use strict';

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { address, api, bookElsewhere, demo, installed, login, slot, until, url } = require('./museum.cjs');

const DDPClient = installed('ddp');
const room = demo.rooms.main;
const open = [];

/** A connected client. */
function connect(more = {}) {
  const client = new DDPClient({
    autoReconnect: true,
    autoReconnectTimer: 500,
    maintainCollections: true,
    ddpVersion: 1,
    url,
    ...more,
  });
  open.push(client);
  client.seen = [];
  client.on('message', (text) => client.seen.push(JSON.parse(text)));
  return new Promise((resolve, reject) => {
    client.connect((error, again) => {
      if (error) reject(error);
      if (!again) resolve(client);
      client.again = again;
    });
  });
}

const call = (client, method, ...params) =>
  new Promise((resolve, reject) => {
    client.call(method, params, (error, result) => (error ? reject(error) : resolve(result)));
  });

const subscribe = (client, name, ...params) =>
  new Promise((resolve, reject) => {
    client.subscribe(name, params, (error) => (error ? reject(error) : resolve()));
  });

async function loggedIn(more) {
  const client = await connect(more);
  client.login = await call(client, 'login', login);
  return client;
}

let panel;

before(async () => {
  panel = await loggedIn();
});
after(() => open.forEach((client) => client.close()));

test('a version that is a number is taken at once, on one socket', async () => {
  const client = await connect();
  assert.deepEqual(client.seen.map((each) => each.msg), ['connected']);
});

test('a client that asks SockJS first falls back to the same address', async () => {
  const client = await connect({ url: undefined, host: address.hostname, port: address.port, useSockJs: true });
  assert.equal((await call(client, 'login', login)).type, 'password');
});

test('a login answers an id, a token and when it ends, as a date', () => {
  assert.equal(panel.login.type, 'password');
  assert.ok(panel.login.tokenExpires instanceof Date);
});

test('wrong names and passwords are refused with the errors of the document', async () => {
  const client = await connect();
  const wrong = { ...login.password, digest: '0'.repeat(64) };
  await assert.rejects(call(client, 'login', { ...login, password: wrong }), {
    isClientSafe: true,
    error: 403,
    reason: 'Incorrect password',
    message: 'Incorrect password [403]',
    errorType: 'Meteor.Error',
  });
  await assert.rejects(call(client, 'login', { ...login, user: { username: 'nobody' } }), { reason: 'User not found' });
});

test('a subscription that there is not is refused', async () => {
  await assert.rejects(subscribe(panel, 'everything'), { error: 404, reason: "Subscription 'everything' not found" });
});

test('the room of the demo is in the collection', async () => {
  await subscribe(panel, 'allRooms', room.evokoId);
  const document = panel.collections.rooms[room.evokoId];
  assert.equal(document._id, room.evokoId);
  assert.equal(document.mail, room.email);
  assert.equal(Object.keys(document.equipment).length, 11);
});

test('a meeting is booked, moved, checked in and deleted, as the document does it', async () => {
  await subscribe(panel, 'allBookings', 'ALL');
  const first = slot();
  const made = await call(panel, 'createBooking', { roomId: room.evokoId, ...first, subject: 'Fika meeting!', pin: 9999 });
  assert.equal(made.type, 'success');
  assert.equal(made.message, 'MeetingSuccessCreated');
  const bookingId = made.body.id;
  const mine = () => panel.collections.bookings && panel.collections.bookings[bookingId];
  await until(mine);
  assert.equal(mine().booking.subject, 'Fika meeting!');
  assert.equal(mine().booking.confirmed, false);
  await assert.rejects(call(panel, 'createBooking', { roomId: room.evokoId, ...first }), {
    error: 400,
    reason: 'MeetingSuccessExists',
    message: 'MeetingSuccessExists [400]',
  });
  const longer = { ...first, endDate: first.endDate.replace(':30:00', ':45:00') };
  assert.deepEqual(await call(panel, 'updateEvent', { bookingId, id: '', ...longer, pin: null, rfid: null }), {
    type: 'success',
    message: 'MeetingSuccessUpdate',
    body: null,
  });
  await until(() => mine().booking.endDate === longer.endDate);
  assert.equal((await call(panel, 'deleteEvent', { bookingId, ongoing: true })).message, 'MeetingSuccessDelete');
  await until(() => !mine());
});

test('what another API does reaches the collection', async () => {
  const other = await loggedIn();
  await subscribe(other, 'allBookings', room.evokoId);
  const { status, document } = await bookElsewhere(slot());
  assert.equal(status, 201);
  const booking = await until(() => other.collections.bookings && other.collections.bookings[document.id]);
  assert.equal(booking.booking.subject, 'Stand-up');
  assert.equal((await api('DELETE', `/rooms/${room.id}/bookings/${document.id}`)).status, 200);
  await until(() => !other.collections.bookings[document.id]);
});

test('a search answers rooms in full and in part', async () => {
  const when = slot();
  const answer = await call(panel, 'getAvailableRoomsAdvancedNew', {
    room: { _id: 'not-a-liso' },
    startDate: when.startDate,
    endTDate: when.endDate,
    location: { country: false, city: false, building: false, floor: false },
    seats: '1-100',
    equipment: { wifi: false },
    customEquipment: [],
    isFiltered: true,
    metadata: { demoMode: false },
  });
  const found = [...answer.fullMatchArray, ...answer.partialMatchArray].map((each) => each._id);
  assert.ok(found.includes(room.evokoId));
});

test('a group and a user of it are registered, and the user logs in', async () => {
  const group = await call(panel, 'registerClientGroup2x', `group ${Date.now()}`);
  const user = await call(panel, 'registerIntegrationUser', group.groupToken);
  assert.ok(user.createdAt instanceof Date);
  assert.equal(user.profile.groupToken, group.groupToken);
  const client = await connect();
  const answer = await call(client, 'login', { user: { username: user.username }, password: group.groupToken });
  assert.equal(answer.id, user._id);
});

test('a client whose connection is cut comes back and resumes its login', async () => {
  const client = await loggedIn();
  client.socket.close();
  await until(() => client.again);
  const { id, type } = await call(client, 'login', { resume: client.login.token });
  assert.deepEqual({ id, type }, { id: client.login.id, type: 'resume' });
  await subscribe(client, 'allRooms', 'ALL');
  assert.ok(client.collections.rooms[room.evokoId]);
});
