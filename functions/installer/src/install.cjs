// Brings packages and what they need in turn into a zip, within limits. npm fetches and unpacks; nothing of theirs runs.
'use strict';

const fs = require('node:fs/promises');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { zipSync } = require('fflate');

const NPM = path.join(path.dirname(require.resolve('npm/package.json')), 'bin', 'npm-cli.js');
const LOOK_MS = 500; // between two looks at how much there is
const MAX_SAID = 64 * 1024; // of what npm says
const MODULES = 'node_modules';
const FLAGS = [
  '--ignore-scripts',
  '--no-bin-links',
  '--no-package-lock',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--omit=dev',
  '--install-strategy=hoisted',
  '--allow-git=none',
  '--allow-remote=none',
  '--allow-file=none',
  '--allow-directory=none',
  '--fetch-retries=2',
  '--fetch-timeout=20000',
  '--loglevel=error',
  '--json',
];
/** The registry, or the way to it, is out of order: another time it may be possible. */
const FOR_NOW =
  /^(E429|E5\d\d|ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|EIDLETIMEOUT|ERR_SOCKET_TIMEOUT|FETCH_ERROR|ENOSPC|UNABLE_TO_\w+|CERT_\w+|SELF_SIGNED_\w+)$/;

class Refused extends Error {}
class Unreachable extends Error {}

/** Files below a folder with their sizes, by their paths there. Throws Refused for a link, or past a limit. */
async function filesOf(folder, limits) {
  const found = new Map();
  const folders = [''];
  let bytes = 0;
  while (folders.length > 0) {
    const below = folders.pop();
    const entries = await fs.readdir(path.join(folder, below), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const name = path.posix.join(below, entry.name);
      if (entry.isDirectory()) {
        folders.push(name);
      } else if (entry.isFile()) {
        const { size } = await fs.lstat(path.join(folder, name)).catch(() => ({ size: 0 }));
        bytes += size;
        found.set(name, size);
      } else {
        throw new Refused(`The packages hold ${name}, which is a link or a special file`);
      }
      if (found.size > limits.files) throw new Refused(`The packages have more than ${limits.files} files`);
      if (bytes > limits.bytes) throw new Refused(`The packages have more than ${limits.bytes} bytes`);
    }
  }
  return found;
}

/** Run npm in `home`. Throws Refused or Unreachable. */
async function npm(home, limits, settings) {
  const child = spawn(process.execPath, [NPM, 'install', ...FLAGS, ...settings], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true, // a group of its own, to be ended as one
  });
  let said = '';
  let why = null;
  const end = (reason) => {
    why ??= reason;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  };
  child.stdout.on('data', (chunk) => {
    said = (said + chunk).slice(0, MAX_SAID);
  });
  const timer = setTimeout(() => end(new Refused(`npm took longer than ${limits.ms} ms`)), limits.ms);
  let looking = false;
  const watch = setInterval(async () => {
    if (looking) return;
    looking = true;
    await filesOf(home, limits).catch(end);
    looking = false;
  }, LOOK_MS);
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(-1));
    child.once('close', resolve);
  });
  clearTimeout(timer);
  clearInterval(watch);
  if (why) throw why;
  if (code !== 0) throw refusal(said, home);
}

/** What npm's own words, as JSON, come to. */
function refusal(said, home) {
  let error = {};
  try {
    error = JSON.parse(said).error ?? {};
  } catch {
    // it ended before it could say
  }
  const { code = 'unknown', summary = '', detail = '' } = error;
  const words = `${summary} ${detail}`.replaceAll(home, '').replace(/\s+/g, ' ').trim().slice(0, 1_000);
  return FOR_NOW.test(code) ? new Unreachable(`npm: ${code} ${words}`) : new Refused(`npm: ${code} ${words}`);
}

/** A zip of the packages, all below node_modules. `settings` are more of npm's own. Throws Refused, Unreachable. */
async function install(dependencies, limits, settings = []) {
  const home = await fs.mkdtemp(path.join(await fs.realpath(os.tmpdir()), 'fingerpost-installer-'));
  try {
    const manifest = { name: 'reactor-script', version: '0.0.0', private: true, dependencies };
    await fs.writeFile(path.join(home, 'package.json'), JSON.stringify(manifest));
    await npm(home, limits, settings);
    const zipped = {};
    const modules = path.join(home, MODULES);
    for (const name of [...(await filesOf(modules, limits)).keys()].sort()) {
      if (name === '.package-lock.json') continue;
      const content = await fs.readFile(path.join(modules, name));
      zipped[`${MODULES}/${name}`] = [content, { mtime: new Date(1980, 0, 1), level: 6 }];
    }
    return zipSync(zipped);
  } finally {
    await fs.rm(home, { recursive: true, force: true });
  }
}

/** What came of it, as the adapters read it: `keep` takes the zip where that is wanted. */
async function answer(asked, keep, settings) {
  try {
    await keep(await install(asked.dependencies, asked.limits, settings));
    return { installed: true };
  } catch (error) {
    if (error instanceof Refused) return { refused: error.message };
    if (error instanceof Unreachable) return { unreachable: error.message };
    throw error;
  }
}

module.exports = { answer };
