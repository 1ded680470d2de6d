// The modules that every script finds, whatever its bundle holds, and the SDK set up for its application.
'use strict';

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

const SUPPLIED = { 'evrythng-extended': 4, evrythng: 6, 'reactor-runasync': 1 }; // the major version of each
const HEADER = 'X-Evrythng-Reactor';

const supplied = (name) => require(path.join(__dirname, `${name}.js`));

supplied('evrythng-extended'); // loaded ahead of need

function json(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}

/** A bundle's own copy is taken when it is of another major version: its script is written for that one. */
function bringsItsOwn(home, name) {
  const { version } = json(path.join(home, 'node_modules', name, 'package.json'));
  return typeof version === 'string' && parseInt(version, 10) !== SUPPLIED[name];
}

/** Make `require` answer for the supplied modules, from anywhere in the bundle. */
function supply(home) {
  const names = new Set(Object.keys(SUPPLIED).filter((name) => !bringsItsOwn(home, name)));
  const load = Module._load;
  Module._load = (request, ...rest) => (names.has(request) ? supplied(request) : load(request, ...rest));
}

/** The SDK that the manifest asks for, evrythng-extended unless it names evrythng alone, and `app` of it. */
async function sdk(home, call) {
  const wanted = json(path.join(home, 'package.json')).dependencies || {};
  const latest = 'evrythng' in wanted && !('evrythng-extended' in wanted);
  const load = Module.createRequire(path.join(home, 'main.js'));
  const EVT = load(latest ? 'evrythng' : 'evrythng-extended');
  const headers = call.header ? { [HEADER]: call.header } : {};
  globalThis[Symbol.for('reactor.forwarded')] = { to: call.apiUrl, headers }; // read by request.cjs
  const settings = { apiUrl: call.apiUrl, geolocation: false };
  if (!latest) {
    EVT.setup({ ...settings, quiet: true });
    return { EVT, app: await extendedApp(EVT, call) };
  }
  EVT.setup({ ...settings, apiVersion: 1, headers: { ...EVT.settings.headers, ...headers } });
  return { EVT, app: await latestApp(EVT, call) };
}

/** A constructor of either SDK asks the API who it is. Scripts do not wait for that, so it is answered from here. */
async function extendedApp(EVT, { app, apiKey }) {
  const { api } = EVT;
  EVT.api = async () => ({ ...app }); // to /access and to /applications/me
  try {
    const made = new EVT.TrustedApp({ ...app, apiKey });
    await made.$init;
    return made;
  } finally {
    EVT.api = api;
  }
}

async function latestApp(EVT, { app, apiKey }) {
  const { fetch } = globalThis;
  const access = { actor: { type: 'app', id: app.id }, project: app.project };
  globalThis.fetch = async (url) => new Response(JSON.stringify(String(url).includes('/access') ? access : app));
  try {
    const made = new EVT.TrustedApplication(apiKey, { ...app });
    await made.init();
    return made;
  } finally {
    globalThis.fetch = fetch;
  }
}

module.exports = { sdk, supply };
