// A single-use process on Lambda, as local/process.py and local/sandbox.py have it on one machine.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');

const OWN_MB = 256; // what Node itself takes beside a script's heap
const START_MS = 30_000;
const MAX_LINES = 1010;
const MAX_LINE = 128 * 1024;
const MAX_WRITTEN = 2 * 1024 * 1024; // Lambda answers with at most 6 MB
const MAX_COMPLAINT = 8 * 1024;
const LIMITED = 'ulimit -c 0; ulimit -t "$1"; ulimit -d "$2"; shift 2; exec "$@"';

const has = (flag) => process.allowedNodeEnvironmentFlags.has(flag);
const MODEL = [
  has('--permission') ? '--permission' : '--experimental-permission',
  ...(has('--allow-net') ? ['--allow-net'] : []),
];

class Process {
  constructor({ memoryMb, timeLimitMs }) {
    this.home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'run-')));
    const processor = 4 * (Math.floor(timeLimitMs / 1000) + 10);
    const node = [
      process.execPath,
      ...MODEL,
      '--no-warnings',
      `--max-old-space-size=${memoryMb}`,
      `--allow-fs-read=${__dirname}/`,
      `--allow-fs-read=${this.home}/`,
      path.join(__dirname, 'child.js'),
      this.home,
    ];
    const limits = [String(processor), String((memoryMb + OWN_MB) * 1024)];
    this.child = spawn('/bin/sh', ['-c', LIMITED, 'sh', ...limits, ...node], { cwd: '/', env: {}, detached: true });
    this.child.on('error', () => {}); // seen as the end of its output
    this.child.stdin.on('error', () => {});
    this.lines = [];
    this.complaint = '';
    this.child.stderr.on('data', (part) => {
      this.complaint = (this.complaint + part).slice(-MAX_COMPLAINT);
    });
  }

  get alive() {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined;
  }

  /** Hand over the call; what the process wrote and how it ended. Throws when nothing of the script ran. */
  run(call) {
    return new Promise((resolve, reject) => {
      let begun;
      let rest = '';
      let size = 0;
      let timer = setTimeout(() => settle('timeout'), START_MS);
      const settle = (kind) => {
        clearTimeout(timer);
        this.kill();
        const signal = os.constants.signals[this.child.signalCode];
        const code = signal ? -signal : (this.child.exitCode ?? 0);
        if (begun === undefined) reject(new Error(`The process ended with ${code} before it began: ${this.complaint}`));
        const ms = Math.round(performance.now() - begun);
        resolve({ lines: this.lines, kind, code, complaint: this.complaint, ms });
      };
      const take = (line) => {
        if (begun === undefined) {
          if (line !== '["begun"]') return;
          begun = performance.now();
          clearTimeout(timer);
          timer = setTimeout(() => settle('timeout'), call.timeLimitMs);
          return;
        }
        const ends = line.startsWith('["end",');
        if (ends || (this.lines.length < MAX_LINES && size + line.length <= MAX_WRITTEN)) {
          this.lines.push(line.slice(0, MAX_LINE + 1));
          size += line.length;
        }
        if (ends) settle('ended');
      };
      this.child.stdout.setEncoding('utf8').on('data', (part) => {
        const whole = (rest + part).split('\n');
        rest = whole.pop().slice(0, MAX_LINE + 1);
        whole.forEach(take);
      });
      this.child.on('close', () => settle('ended'));
      this.child.stdin.end(JSON.stringify(call));
    });
  }

  kill() {
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  }

  end() {
    this.kill();
    fs.rmSync(this.home, { recursive: true, force: true });
  }
}

module.exports = { Process };
