// Bundles on Lambda: fetched once by the link that the caller signed, unpacked, and linked into each run's folder.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { createHash } = require('node:crypto');
const { unzipSync } = require('fflate');

const MAX_FILES = 20_000;
const MAX_UNPACKED_BYTES = 200 * 1024 * 1024;
const KEPT = 2; // of one application: the version at work, and the one before it
const FETCH_MS = 20_000;

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bundles-'));

/** The folder of an unpacked bundle. Throws an Error that says why there is none. */
async function bundleFolder({ name, url }) {
  const folder = path.join(root, createHash('sha256').update(name).digest('hex'));
  if (fs.existsSync(folder)) return folder;
  const answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS) });
  if (answer.status === 404) throw new Error(`There is no bundle ${name}`);
  if (!answer.ok) throw new Error(`The bundle ${name} could not be read: ${answer.status}`);
  const made = fs.mkdtempSync(path.join(root, '.new-'));
  try {
    unpack(new Uint8Array(await answer.arrayBuffer()), made);
    fs.renameSync(made, folder);
  } catch (error) {
    fs.rmSync(made, { recursive: true, force: true });
    throw new Error(`The bundle ${name} cannot be unpacked: ${error.message}`);
  }
  const aged = fs.readdirSync(root).map((each) => path.join(root, each));
  aged.sort((one, other) => fs.statSync(other).mtimeMs - fs.statSync(one).mtimeMs);
  for (const old of aged.slice(KEPT)) fs.rmSync(old, { recursive: true, force: true });
  return folder;
}

function unpack(content, folder) {
  let count = 0;
  let size = 0;
  const filter = (entry) => {
    count += 1;
    size += entry.originalSize;
    if (count > MAX_FILES || size > MAX_UNPACKED_BYTES) throw new Error('it is too large');
    return !entry.name.endsWith('/');
  };
  for (const [name, bytes] of Object.entries(unzipSync(content, { filter }))) {
    if (name.split('/').some((part) => ['', '.', '..'].includes(part)) || /[\\\0]/.test(name)) {
      throw new Error(`${JSON.stringify(name)} is no path below its root`);
    }
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, bytes, { flag: 'wx', mode: 0o444 });
  }
}

/** Links, for each process may read its own folder alone. */
function linkInto(source, home) {
  for (const entry of fs.readdirSync(source, { withFileTypes: true })) {
    const [from, to] = [path.join(source, entry.name), path.join(home, entry.name)];
    if (entry.isDirectory()) {
      fs.mkdirSync(to);
      linkInto(from, to);
    } else {
      fs.linkSync(from, to);
    }
  }
}

module.exports = { bundleFolder, linkInto };
