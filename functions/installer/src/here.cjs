// node here.cjs: reads {source} from standard input, says whether it can be read. That needs nothing of node_modules.
// node here.cjs FILE: reads {dependencies, limits}, writes the zip to FILE, says what came of it.
'use strict';

const fs = require('node:fs');

const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
const say = (said) => process.stdout.write(JSON.stringify(said));

if ('source' in asked) {
  say(require('./syntax.cjs').checked(asked.source));
} else {
  const keep = (zip) => fs.writeFileSync(process.argv[2], zip);
  require('./install.cjs').answer(asked, keep, []).then(say);
}
