// node child.js HOME: a process that runs one script once. It loads what every script needs, then waits for a call, a
// line of JSON on standard input; HOME holds the bundle by then. The end of the input without a call ends it.
// {function, payload, apiUrl, apiKey, header, app, timeLimitMs}
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const channel = require('./channel.cjs');
const confine = require('./confine.cjs');
const { sdk, supply } = require('./supplied.cjs');
const { handler, load } = require('./script.cjs');

const home = process.argv[2];
const leave = process.reallyExit.bind(process);
const GRACE_MS = 5000; // for what a function began and did not wait for, once its promise is kept
const DONE_GRACE_MS = 1000; // likewise after done(): published scripts send a last request and call it at once
const ALONE_MS = 1000; // past the limit there is nobody left who would have ended this process

function readCall() {
  const parts = [];
  const buffer = Buffer.alloc(65_536);
  for (;;) {
    let count;
    try {
      count = fs.readSync(0, buffer, 0, buffer.length, null);
    } catch (error) {
      if (error.code === 'EAGAIN') continue;
      throw error;
    }
    if (count === 0) return parts.length ? JSON.parse(Buffer.concat(parts)) : undefined;
    parts.push(Buffer.from(buffer.subarray(0, count)));
  }
}

let ended = false;

function end(outcome, detail) {
  if (ended) return;
  ended = true;
  channel.end(outcome, detail);
  leave(0);
}

function fail(error) {
  const ranOut = error instanceof RangeError && /allocation failed/i.test(error.message);
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : undefined;
  end(ranOut ? 'memory' : 'error', stack === undefined ? channel.text(error) : shown(stack));
}

/** A stack as its script's author knows it: paths from the bundle's root, without the steps through this program. */
function shown(stack) {
  const steps = stack.split('\n').filter((line) => !(/^ +at /.test(line) && line.includes(__filename)));
  return steps.join('\n').replaceAll(home + path.sep, '');
}

async function run(call) {
  let outcome = 'notDone'; // once nothing is left to do
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  process.on('beforeExit', () => end(outcome));
  process.on('exit', (code) => end(outcome === 'done' ? 'done' : 'exited', code));
  setTimeout(() => leave(0), call.timeLimitMs + ALONE_MS).unref();
  process.chdir(home);
  supply(home);
  const { EVT, app } = await sdk(home, call);
  const done = () => {
    outcome = 'done';
    setTimeout(() => end('done'), DONE_GRACE_MS).unref();
  };
  Object.assign(globalThis, { EVT, app, done, logger: channel.logger });
  const script = load(home);
  const react = handler(script, call.function);
  if (react === undefined) {
    end('absent');
    return;
  }
  const returned = react(call.payload);
  if (returned && typeof returned.then === 'function') {
    await returned;
    if (outcome === 'done') return;
    outcome = 'returned';
    setTimeout(() => end(outcome), GRACE_MS).unref();
  }
}

confine();
const call = readCall();
if (call === undefined) leave(0);
channel.begin();
run(call).catch(fail);
