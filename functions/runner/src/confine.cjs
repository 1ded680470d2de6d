// What Node's permission model leaves open within a process: signals to others, and turning V8's own limits.
// A courtesy to the rest of the machine where there is no bubblewrap; the limits hold from outside all the same.
'use strict';

const { constants } = require('node:fs');
const os = require('node:os');
const { Writable } = require('node:stream');
const v8 = require('node:v8');

const OF_PROCESS = ['kill', '_kill', '_debugProcess', '_debugEnd', 'dlopen', '_linkedBinding'];
const OF_V8 = ['setFlagsFromString', 'writeHeapSnapshot', 'setHeapSnapshotNearHeapLimit', 'takeCoverage'];

function take(owner, name, shown) {
  const value = () => {
    throw new Error(`${shown}.${name} is not available to scripts`);
  };
  Object.defineProperty(owner, name, { value, configurable: false, writable: false });
}

/** Node's own internals are not to be had; what Emscripten asks for as it loads is no secret. */
function binding(name) {
  if (name === 'constants') return { fs: { ...constants }, os: { ...os.constants } };
  throw new Error('process.binding is not available to scripts');
}

module.exports = function confine() {
  for (const name of OF_PROCESS) take(process, name, 'process');
  Object.defineProperty(process, 'binding', { value: binding, configurable: false, writable: false });
  for (const name of OF_V8) take(v8, name, 'v8');
  Object.defineProperty(process, 'report', { value: undefined, configurable: false, writable: false });
  for (const name of ['stdout', 'stderr']) {
    const nowhere = new Writable({ write: (chunk, encoding, next) => next() }); // console.log is not in the log
    Object.defineProperty(process, name, { value: nowhere, configurable: true, writable: true });
  }
};
