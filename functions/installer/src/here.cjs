// node here.cjs FILE: reads {dependencies, limits} from standard input, writes the zip to FILE, says what came of it.
'use strict';

const fs = require('node:fs');
const { answer } = require('./install.cjs');

const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
const keep = (zip) => fs.writeFileSync(process.argv[2], zip);

answer(asked, keep, []).then((said) => process.stdout.write(JSON.stringify(said)));
