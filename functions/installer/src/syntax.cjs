// Whether a main.js can be read as the runner reads it (functions/runner/src/script.cjs). It is compiled; none of it runs.
'use strict';

const { compileFunction } = require('node:vm');

const OF_MODULES = ['exports', 'require', 'module', '__filename', '__dirname'];
const MAX_SAID = 500;

/** Where a source is wrong, and how, as the adapters read it. */
function checked(source) {
  try {
    compileFunction(source.replace(/^\uFEFF/, '').replace(/^#!/, '//'), OF_MODULES, { filename: 'main.js' });
    return { read: true };
  } catch (error) {
    const [place, , mark = ''] = String(error.stack).split('\n'); // main.js:3, the line, and ^ below what is wrong
    const column = mark.indexOf('^') + 1;
    const where = place.startsWith('main.js:') && column ? `${place}:${column}` : 'main.js';
    return { refused: `${where}: ${String(error.message).slice(0, MAX_SAID)}` };
  }
}

module.exports = { checked };
