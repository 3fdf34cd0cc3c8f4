// An app with a sidecar, started in each of the ways: `app.mjs WAY [ANCHOR-OPTIONS]`.
import { fork, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { anchorEnv, anchored } from 'libanchor';

const [way, options = '{}', ...more] = isMainThread ? process.argv.slice(2) : workerData;
const anchor = JSON.parse(options);
const server = new URL('server.mjs', import.meta.url).pathname;
const node = process.execPath;
const args = [server, ...more];
const stdio = 'inherit';

const ways = {
  unprotected: () => spawn(node, args, { stdio }),
  plainly: () => anchored(node, args, { stdio, anchor }),
  required: () => createRequire(import.meta.url)('libanchor').anchored(node, args, { stdio, anchor }),
  detached: () => anchored(node, args, { stdio, anchor, detached: true }).unref(),
  // The shell stays: it is not its last command.
  shell: () => anchored(`"${node}" "${server}"; true`, { stdio, anchor, shell: true }),
  env: () => anchored(node, args, { stdio, anchor, env: { PATH: process.env.PATH } }),
  array: () => anchored(node, args, { stdio: ['ignore', 1, 'inherit'], anchor }),
  channel: () => anchored(node, args, { stdio, anchor: { ...anchor, channel: true } }),
  fork: () => fork(server, more, { env: anchorEnv(anchor) }),
  worker: () => new Worker(new URL(import.meta.url), { workerData: ['plainly', options, ...more] }),
};
ways[way]();
setInterval(() => {}, 1 << 30);
