// What a run tells whoever started it: a line of JSON each on standard output, written at once so that none is lost.
// ["begun"], then ["log", level, message, at] and ["end", outcome, detail]. transcript.py reads them, and trusts none of them.
'use strict';

const fs = require('node:fs');
const { inspect } = require('node:util');

const CHANNEL = 1;
const MAX_LINES = 1000;
const MAX_MESSAGE = 16 * 1024; // characters; the reader counts bytes

let lines = 0;

function write(line) {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(CHANNEL, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') return; // nobody listens any more
    }
  }
}

/** A value as a log shows it: errors as JavaScript names them, documents as JSON. */
function text(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error || typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return inspect(value);
  }
}

function log(level, values) {
  lines += 1;
  if (lines > MAX_LINES + 1) return; // one more than is kept tells the reader that there were more
  const message = values.map(text).join(' ');
  write(['log', level, message.slice(0, MAX_MESSAGE + 1), Date.now()]);
}

/** What scripts call `logger`. Its functions are bound: scripts hand them on as they are. */
const logger = Object.fromEntries(
  ['trace', 'debug', 'info', 'warn', 'error'].map((level) => [level, (...values) => log(level, values)]),
);

const end = (outcome, detail = '') => write(['end', outcome, String(detail).slice(0, MAX_MESSAGE)]);

const begin = () => write(['begun']);

module.exports = { begin, end, logger, text };
