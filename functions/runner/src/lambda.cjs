// The Lambda function: one invocation is one run, in a process of its own, as on one machine (local/runner.py). The
// environment belongs to one tenant; it has no permissions to give away, and its variables stay out of the process.
// In: {bundle: {name, url}, call, memoryMb}. Out: {lines, kind, code, complaint, ms}, or {unavailable} when nothing ran.
'use strict';

const { bundleFolder, linkInto } = require('./bundles.cjs');
const { Process } = require('./processes.cjs');

const USUAL = { memoryMb: 256, timeLimitMs: 60_000 };

let waiting = new Process(USUAL); // it loads while Lambda makes the environment ready

exports.handler = async ({ bundle, call, memoryMb }) => {
  const usual = memoryMb === USUAL.memoryMb && call.timeLimitMs === USUAL.timeLimitMs;
  let taken = waiting;
  if (usual) waiting = new Process(USUAL); // it loads while the script waits for its requests
  if (!usual || !taken.alive) {
    if (usual) taken.end();
    taken = new Process({ memoryMb, timeLimitMs: call.timeLimitMs });
  }
  try {
    linkInto(await bundleFolder(bundle), taken.home);
    return await taken.run(call);
  } catch (error) {
    return { unavailable: String(error.message).slice(0, 1000) };
  } finally {
    taken.end();
  }
};
