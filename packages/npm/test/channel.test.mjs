// The pipe whose hang-up is the anchor's death, and what it must not change for the app.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anchorEnv, anchored } from 'libanchor';
import { clean, run, within } from './support.mjs';

const says = 'readlink /proc/self/fd/${ANCHOR_FD%%:*}; echo $ANCHOR_FD';
const event = (emitter, name) => within(name, new Promise((done) => emitter.once(name, done)));
const listen = (child) => {
  child.text = '';
  child.stdout.setEncoding('utf8').on('data', (data) => (child.text += data));
  return child;
};

test('it is the last of stdio, whatever that is', { skip: process.platform === 'linux' ? false : 'by /proc' }, async () => {
  for (const [stdio, fd] of [
    [undefined, 3],
    ['pipe', 3],
    [['ignore'], 3],
    [['ignore', 'pipe', 'inherit', 'ignore', 'pipe'], 5],
  ]) {
    const child = listen(anchored('sh', ['-c', says], { env: clean(), stdio, anchor: { channel: true } }));
    await event(child, 'close');
    assert.match(child.text, new RegExp(`^socket:\\[\\d+\\]\\n${fd}(:\\d+:\\d+)?\\n$`));
    assert.equal(child.stdio.length, fd + 1);
  }
});

test('a channel of an anchor further up is not kept', () => {
  assert.equal(anchorEnv({ env: { ANCHOR_FD: '9' } }).ANCHOR_FD, undefined);
  assert.equal(anchorEnv({ env: { ANCHOR_FD: '9' }, fd: 4 }).ANCHOR_FD, '4');
  for (const fd of [0, 2, -1, 1.5, '3', null]) assert.throws(() => anchorEnv({ fd }), { code: 'ERR_ANCHOR_VALUE' });
  assert.throws(() => anchored('true', { anchor: { channel: 1 } }), { code: 'ERR_ANCHOR_VALUE' });
});

test('it does not keep the app from ending', async () => {
  const program = `require('libanchor').anchored('sleep', ['1000'], { stdio: 'ignore', anchor: { channel: true } }).unref()`;
  const { code, stderr } = await run(process.execPath, ['-e', program]);
  assert.equal(code, 0, stderr);
});

test('the end of a program that cannot be started is the one that spawn tells', async () => {
  const child = anchored('/nowhere', { anchor: { channel: true } });
  assert.equal((await event(child, 'error')).code, 'ENOENT');
});

test('close does not wait for what the child has left behind, which lives', async (t) => {
  const left = "sleep 1000 >/dev/null 2>&1 & echo $!";
  const child = listen(anchored('sh', ['-c', left], { env: clean(), stdio: ['ignore', 'pipe', 'inherit'], anchor: { channel: true } }));
  let closed = 0;
  child.on('close', () => (closed += 1));
  await event(child, 'close');
  const pid = Number(child.text);
  const gone = event(child.stdio[3], 'close');
  process.kill(pid, 0);
  process.kill(pid, 'SIGKILL');
  await gone;
  assert.equal(closed, 1);
  t.diagnostic(`${pid} was left behind`);
});
