// A bundle's main.js: loaded as CommonJS, and the function found that an event is for.
'use strict';

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { compileFunction } = require('node:vm');

const EVENTS = new Set([
  'onActionCreated',
  'onThngPropertiesChanged',
  'onProductPropertiesChanged',
  'onScheduledEvent',
]);

/** Scripts that export nothing count by what they declare, which only code of the module itself can see. */
const LOCALS = '\n;module.reactorLocal = (name) => { try { return eval(name); } catch { return undefined; } };';

/** Load main.js of `home`. Throws what the script throws. */
function load(home) {
  const file = path.join(home, 'main.js');
  const source = fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, '').replace(/^#!/, '//');
  const script = new Module(file, null);
  script.filename = file;
  script.paths = Module._nodeModulePaths(home);
  Module._cache[file] = script;
  try {
    script._compile(source + LOCALS, file);
  } catch (error) {
    compileFunction(source, [], { filename: file }); // says where the source is none, or is that of an ES module
    throw error;
  }
  script.loaded = true;
  return script;
}

/** The function for an event: exported, or, for the four events by name, declared or global. Undefined for none. */
function handler(script, name) {
  const exported = script.exports && Object(script.exports)[name];
  if (typeof exported === 'function') return exported.bind(script.exports);
  if (!EVENTS.has(name)) return undefined;
  const local = script.reactorLocal && script.reactorLocal(name);
  return [local, globalThis[name]].find((each) => typeof each === 'function');
}

module.exports = { handler, load };
