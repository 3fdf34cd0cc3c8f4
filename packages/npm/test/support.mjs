// Trees of real processes, and how their end is seen: every process of a tree writes to one pipe, and its end is theirs.
// Nothing sleeps; what is waited for is an event, with one generous ceiling.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CEILING = 60_000;

export const here = (file) => fileURLToPath(new URL(file, import.meta.url));

// The environment without any trace of an anchor.
export function clean(more = {}) {
  const env = { ...process.env, PYTHONUNBUFFERED: '1', ...more };
  const ours = (name) => name.startsWith('ANCHOR_') || name === 'LD_PRELOAD' || name.startsWith('DYLD_');
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours(name) || name in more));
}

export async function within(what, event) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited too long: ${what}`)), CEILING);
  });
  return Promise.race([event, late]).finally(() => clearTimeout(timer));
}

// test -> COMMAND (anchor) -> sidecars, all of which have the pipe as their stdout.
export class Tree {
  text = '';
  #pids = new Set();

  constructor(t, command, args, options = {}) {
    this.anchor = spawn(command, args, { env: clean(), ...options, stdio: ['ignore', 'pipe', 'inherit'] });
    this.exited = new Promise((resolve) => this.anchor.once('exit', (code, signal) => resolve(signal ?? code)));
    // Not the end that Node reports of the child: that of the pipe, which everybody in the tree holds.
    this.ended = new Promise((resolve) => this.anchor.stdout.once('end', resolve));
    this.over = false;
    this.ended.then(() => (this.over = true));
    this.anchor.stdout.setEncoding('utf8').on('data', (data) => (this.text += data));
    t.after(() => this.#clean());
  }

  // What the pattern finds in what the tree says, as soon as it is there.
  async says(pattern) {
    const look = () => pattern.exec(this.text);
    const heard = new Promise((resolve, reject) => {
      this.anchor.stdout.on('data', () => look() && resolve(look()));
      this.ended.then(() => reject(new Error(`ended without ${pattern}: ${this.text}`)));
    });
    heard.catch(() => {});
    return look() ?? within(String(pattern), heard);
  }

  // The sidecar is ready: `ready PID PORT`.
  async ready() {
    const [, pid, port] = (await this.says(/^ready (\d+) (\d+)$/m)).map(Number);
    this.#pids.add(pid);
    return { pid, port };
  }

  // Whatever ends it: no handler of its own runs.
  async killAnchor() {
    this.anchor.kill('SIGKILL');
    await within('the end of the anchor', this.exited);
  }

  async gone() {
    await within('the end of the tree', this.ended);
  }

  // Only what still holds the pipe can be alive, so no number is another's.
  async #clean() {
    this.anchor.kill('SIGKILL');
    if (!this.over) this.#pids.forEach((pid) => killIfThere(pid));
    this.anchor.stdout.destroy();
  }
}

function killIfThere(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

// An answer proves that the server lives.
export async function answers(port) {
  return within('an answer', fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.status));
}

export function folder(t, prefix = 'anchor-npm-') {
  const made = mkdtempSync(join(tmpdir(), prefix));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

// Runs a program to its end.
export async function run(command, args, options = {}) {
  const child = spawn(command, args, { env: clean(), ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (data) => (said[name] += data));
  const end = new Promise((resolve) => child.once('close', resolve));
  const code = await within(`the end of ${command}`, end).finally(() => child.kill('SIGKILL'));
  return { code, pid: child.pid, ...said };
}
