// A sidecar ends with the app that started it, in whatever way; and without the package it does not.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Tree, answers, folder, here } from './support.mjs';

const app = (t, ...words) => new Tree(t, process.execPath, [here('programs/app.mjs'), ...words]);

for (const way of ['plainly', 'required', 'detached', 'shell', 'env', 'array', 'fork', 'worker']) {
  // test -> app (anchor) -> [sh ->] server
  test(`a sidecar that is started ${way} ends with its app`, async (t) => {
    const tree = app(t, way);
    const { port } = await tree.ready();
    assert.equal(await answers(port), 200);
    await tree.killAnchor();
    await tree.gone();
    assert.match(tree.text, /^asked SIGTERM$/m);
  });
}

test('an unprotected sidecar stays behind', async (t) => {
  const tree = app(t, 'unprotected');
  const { pid, port } = await tree.ready();
  await tree.killAnchor();
  assert.equal(await answers(port), 200);
  process.kill(pid, 'SIGKILL');
  await tree.gone();
});

test('a sidecar is asked with the signal that was chosen', async (t) => {
  const tree = app(t, 'plainly', '{"signal": "SIGUSR2"}');
  await tree.ready();
  await tree.killAnchor();
  await tree.gone();
  assert.match(tree.text, /^asked SIGUSR2$/m);
});

// Whether a handler runs before a short grace is over depends on the machine: so two of them.
test('a sidecar that does not listen is asked', async (t) => {
  const tree = app(t, 'plainly', '{"grace": "never"}', 'deaf');
  const { pid, port } = await tree.ready();
  await tree.killAnchor();
  await tree.says(/^asked SIGTERM$/m);
  assert.equal(await answers(port), 200);
  process.kill(pid, 'SIGKILL');
  await tree.gone();
});

test('and killed after the grace', async (t) => {
  const tree = app(t, 'plainly', '{"grace": 200}', 'deaf');
  await tree.ready();
  await tree.killAnchor();
  await tree.gone();
});

// Another process than the one that starts it: test -> stranger (anchor), test -> app -> server
test('a sidecar ends with the process that was named', async (t) => {
  const stranger = app(t, 'unprotected');
  await stranger.ready();
  const tree = app(t, 'plainly', JSON.stringify({ pid: stranger.anchor.pid }));
  const { port } = await tree.ready();
  assert.equal(await answers(port), 200);
  await stranger.killAnchor();
  await tree.says(/^asked SIGTERM$/m);
  assert.equal(tree.anchor.exitCode ?? tree.anchor.signalCode, null, 'the app lives');
});

// The process that is named lives, so it is the pipe that tells: test (named) -> app (holds the pipe) -> server
test('a sidecar with a channel ends with the process that holds it', async (t) => {
  const tree = app(t, 'channel', JSON.stringify({ pid: process.pid }));
  const { port } = await tree.ready();
  assert.equal(await answers(port), 200);
  await tree.killAnchor();
  await tree.gone();
  assert.match(tree.text, /^asked SIGTERM$/m);
});

test('and without the channel it does not', async (t) => {
  const tree = app(t, 'plainly', JSON.stringify({ pid: process.pid }));
  const { pid, port } = await tree.ready();
  await tree.killAnchor();
  assert.equal(await answers(port), 200);
  process.kill(pid, 'SIGKILL');
  await tree.gone();
});

// The page's first lines, as they are, on a port that is free; and the same with Node's own spawn.
const page = readFileSync(here('../node_modules/libanchor/README.md'), 'utf8');
const lines = /```js\n([^`]*)```/.exec(page)[1];
for (const [what, program] of [
  ['the lines of the page', lines],
  ['the same without the package', lines.replace("{ anchored } from 'libanchor'", "{ spawn as anchored } from 'node:child_process'")],
]) {
  test(`${what}: a server of another language`, async (t) => {
    const file = join(here('..'), `page-${process.pid}-${what === 'the lines of the page'}.mjs`);
    writeFileSync(file, program.replace("'8000'", "'0', '--bind', '127.0.0.1'").replace('server.pid', '`ready ${server.pid} 0`'));
    t.after(() => import('node:fs').then(({ rmSync }) => rmSync(file)));
    const tree = new Tree(t, process.execPath, [file], { cwd: folder(t) });
    const { pid } = await tree.ready();
    const [, port] = await tree.says(/^Serving HTTP on .* port (\d+)/m);
    assert.equal(await answers(port), 200);
    await tree.killAnchor();
    if (program !== lines) {
      assert.equal(await answers(port), 200);
      process.kill(pid, 'SIGKILL');
    }
    await tree.gone();
  });
}
