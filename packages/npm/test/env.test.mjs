// What a program is given, and what is refused before anything is started.
import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import * as libanchor from 'libanchor';
import { clean, folder, here, run } from './support.mjs';

const { anchorEnv, anchored } = libanchor;
const top = resolve(here('..'), 'node_modules/libanchor');
const require = createRequire(import.meta.url);
const { find } = require(join(top, 'lib/library.js'));
const { startIn } = require(join(top, 'lib/identity.js'));
const library = find();
const LINUX = process.platform === 'linux';
const PRELOAD = LINUX ? 'LD_PRELOAD' : 'DYLD_INSERT_LIBRARIES';
const refused = (code, words) => (error) => error instanceof libanchor.AnchorError && error.code === code && error.message.includes(words);

// proc_pid_stat(5), by another reader.
async function identity(pid) {
  const { stdout } = await run('sh', ['-c', `stat=$(cat /proc/${pid}/stat); set -- \${stat##*) }; ns=$(readlink /proc/self/ns/pid); echo "\${ns#pid:[}:\${20}"`]);
  return stdout.trim().replace(']', '');
}

test('both ways to load the package give the same', () => {
  const required = require('libanchor');
  assert.deepEqual(Object.keys(required).sort(), Object.keys(libanchor).filter((name) => name !== 'default').sort());
  for (const name of Object.keys(required)) assert.equal(required[name], libanchor[name]);
});

test('the environment names the anchor, who it is, and the library', async () => {
  const before = clean({ HOME: '/h' });
  const env = anchorEnv({ env: before, signal: 'sigint', grace: 1500, scope: 'self', skip: ['a', 'b*'], strict: true, pdeathsig: 'never', poll: '1s', log: 'stderr' });
  const ours = { ANCHOR_PID: String(process.pid), ANCHOR_SIGNAL: 'INT', ANCHOR_GRACE: '1500ms', ANCHOR_SCOPE: 'self', ANCHOR_SKIP: 'a:b*', ANCHOR_STRICT: '1', ANCHOR_PDEATHSIG: 'never', ANCHOR_POLL: '1000ms', ANCHOR_LOG: 'stderr', [PRELOAD]: library };
  if (LINUX) ours.ANCHOR_ID = await identity(process.pid);
  assert.deepEqual(env, { ...before, ...ours });
});

test('what belongs to another anchor is not kept', async () => {
  const inherited = { ANCHOR_PID: '1', ANCHOR_ID: '1:1', ANCHOR_SCOPE: 'self:1:1', ANCHOR_GRACE: '7s' };
  const env = anchorEnv({ env: inherited, pid: process.ppid });
  assert.equal(env.ANCHOR_PID, String(process.ppid));
  assert.equal(env.ANCHOR_ID, LINUX ? await identity(process.ppid) : undefined);
  assert.equal(env.ANCHOR_SCOPE, 'tree');
  assert.equal(env.ANCHOR_GRACE, '7s', 'what somebody further up has chosen holds');
  assert.deepEqual(inherited.ANCHOR_ID, '1:1', 'what is given is not changed');
});

test('the library is appended, once', { skip: LINUX ? false : 'other separators' }, () => {
  for (const [before, after] of [
    [undefined, library],
    ['/x.so', `/x.so:${library}`],
    ['/x.so /y.so', `/x.so:/y.so:${library}`],
    [`/old/libanchor.so:/x.so libanchor-${'0f'.repeat(16)}.so`, `${library}:/x.so`],
    [library, library],
  ]) {
    assert.equal(anchorEnv({ env: { LD_PRELOAD: before } }).LD_PRELOAD, after);
  }
});

test('a name may hold anything', () => {
  for (const name of ['sh', 'a b', 'a) R 1 2 3', ') Z 1 1', '\n', '']) {
    assert.equal(startIn(`12 (${name}) S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 4711 0\n`), '4711');
  }
  assert.equal(startIn(''), undefined);
});

test('bad values are refused, each with what is wanted', () => {
  for (const [option, ...values] of [
    ['pid', 0, -5, 4194305, 1.5, '1', null],
    ['signal', 'STOP', 'SIGTSTP', 32, 33, 0, 65, 1.5, '', 'SIG', 'TERMINATE', null, true, [15]],
    ['grace', 'soon', '10', -1, 1.5, NaN, '1.5s', '10m', '86401s', 86400001, '', null],
    ['poll', 0, '0', '0ms', 'never', '1'],
    ['scope', 'all', '', 'self:1:1', null],
    ['skip', '', [], '[a', ['b', '[!'], 'a\0b', null],
    ['log', '', 'a\0b', 3],
    ['strict', '1', 1, 'true', null],
    ['pdeathsig', 'yes', true],
    ['ifUnsupported', 'ignore', true],
  ]) {
    for (const value of values) {
      assert.throws(() => anchorEnv({ [option]: value }), refused('ERR_ANCHOR_VALUE', `${option}: `), `${option}: ${value}`);
      assert.throws(() => anchored('true', [], { anchor: { [option]: value } }), libanchor.InvalidValueError);
    }
  }
  assert.throws(() => anchorEnv({ grace: 'soon' }), { message: "grace: soon: want milliseconds, '10s', '500ms' (at most 86400s), 0 or 'never'" });
});

test('a number that nobody has is refused, and a thread', async () => {
  const { pid } = await run('true', []);
  assert.throws(() => anchorEnv({ pid }), refused('ERR_ANCHOR_NO_PROCESS', `${pid}: no such process`));
  const thread = LINUX && readdirSync('/proc/self/task').map(Number).find((tid) => tid !== process.pid);
  if (thread) assert.throws(() => anchorEnv({ pid: thread }), refused('ERR_ANCHOR_NO_PROCESS', `a thread of process ${process.pid}`));
});

test('a platform without a library is a typed error, or runs unprotected', async (t) => {
  const elsewhere = join(folder(t), 'libanchor');
  cpSync(top, elsewhere, { recursive: true });
  rmSync(join(elsewhere, 'prebuilds'), { recursive: true });
  mkdirSync(join(elsewhere, 'prebuilds/plan9-mips'), { recursive: true });
  const other = require(elsewhere);
  const platform = `${process.platform}-${process.arch}`;
  assert.throws(() => other.anchored('true'), { name: 'UnsupportedPlatformError', code: 'ERR_ANCHOR_UNSUPPORTED_PLATFORM', platform });
  const env = { A: '1', ANCHOR_PID: '1', ANCHOR_ID: '1:1' };
  assert.deepEqual(other.anchorEnv({ env, ifUnsupported: 'run' }), env);
  const child = other.anchored('true', { anchor: { ifUnsupported: 'run' } });
  assert.equal(await new Promise((done) => child.once('exit', done)), 0);
  assert.throws(() => other.anchorEnv({ grace: 'soon', ifUnsupported: 'run' }), other.InvalidValueError);
  rmSync(join(elsewhere, 'prebuilds'), { recursive: true });
  assert.throws(() => other.anchorEnv({ ifUnsupported: 'run' }), { code: 'ERR_ANCHOR_NO_LIBRARY' });
});

test('a library that is named is taken, and must be there', () => {
  assert.equal(anchorEnv({ library: join(top, 'prebuilds/../prebuilds', `${process.platform}-${process.arch}`, library.split('/').pop()) })[PRELOAD].split(':').pop(), library);
  assert.throws(() => anchorEnv({ library: '/nowhere/libanchor.so' }), refused('ERR_ANCHOR_NO_LIBRARY', '/nowhere/libanchor.so: no such file'));
});

test('in an Electron app the library is beside the archive', (t) => {
  const app = folder(t);
  writeFileSync(join(app, 'app.asar'), '');
  const inside = join(app, 'app.asar/node_modules/libanchor');
  assert.throws(() => find(undefined, inside), refused('ERR_ANCHOR_NO_LIBRARY', 'asarUnpack'));
  const beside = join(app, 'app.asar.unpacked/node_modules/libanchor');
  cpSync(top, beside, { recursive: true });
  assert.ok(find(undefined, inside).startsWith(beside));
});

// A program that prints what the copy in `top` has it preload, where every home is this one.
const preloads = (top, home) => {
  const program = `os.userInfo = () => ({ homedir: '${home}' }); require(${JSON.stringify(top)}).anchorEnv().${PRELOAD}`;
  return run(process.execPath, ['-p', program], { env: clean({ HOME: home, XDG_CACHE_HOME: '' }) });
};

test('from a path with a blank the library is copied to where nobody else writes', { skip: LINUX ? false : 'blanks are no separators' }, async (t) => {
  const place = join(folder(t, 'anchor npm '), 'libanchor');
  cpSync(top, place, { recursive: true });
  const home = folder(t);
  const copy = (await preloads(place, home)).stdout.trim();
  assert.match(copy, new RegExp(`^${home}/.cache/libanchor/libanchor-[0-9a-f]{32}.so$`));
  assert.ok(readFileSync(copy).equals(readFileSync(library)));
  assert.equal(statSync(copy).mode & 0o777, 0o400);
  assert.equal(statSync(join(copy, '..')).mode & 0o777, 0o700);
  const { ino } = statSync(copy);
  assert.equal((await preloads(place, home)).stdout.trim(), copy);
  assert.equal(statSync(copy).ino, ino, 'what is right stays');
  renameSync(copy, `${copy}.old`);
  writeFileSync(copy, 'wrong');
  assert.equal((await preloads(place, home)).stdout.trim(), copy);
  assert.ok(readFileSync(copy).equals(readFileSync(library)), 'what is wrong is replaced');
  // Others could put something else there.
  chmodSync(join(home, '.cache'), 0o777);
  const { stdout, stderr } = await preloads(place, home);
  assert.equal(stdout, '');
  assert.match(stderr, /UnusablePathError: .*a blank or a colon cannot be preloaded.*others can write to it/);
});

const anchoredCommand = join(top, '../.bin/anchored');

test('the command becomes the program', async () => {
  const words = ['--signal', 'INT', '--grace=3s', '--', 'sh', '-c', `echo $$ $ANCHOR_PID $ANCHOR_SIGNAL $ANCHOR_GRACE $ANCHOR_ID; echo "$${PRELOAD}"; printf '%s|' "$@"; exit 7`, 'sh', 'a  *', "it's", ''];
  const { code, pid, stdout } = await run(anchoredCommand, words, { env: clean({ ANCHOR_ID: '1:1', ANCHOR_SCOPE: 'self:1:1' }) });
  const id = LINUX ? await identity(process.pid) : '';
  assert.equal(stdout, `${pid} ${process.pid} INT 3000ms ${id}\n${library}\na  *|it's||`);
  assert.equal(code, 7);
});

test('the command fails as env and timeout do', async () => {
  for (const [words, status, said] of [
    [[], 125, 'no command'],
    [['--pid'], 125, '--pid: want a value'],
    [['--pid', 'abc', 'true'], 125, 'pid: abc: want a process id'],
    [['--grace', 'soon', 'true'], 125, 'grace: soon: want'],
    [['--nope', 'true'], 125, '--nope: unknown option'],
    [['--check', 'true'], 125, '--check: is an option of the launcher'],
    [['/etc/passwd'], 126, '/etc/passwd: cannot be run'],
    [['no-such-program'], 127, 'no-such-program: not found'],
    [['./no-such-program'], 127, './no-such-program: not found'],
  ]) {
    const { code, stdout, stderr } = await run(anchoredCommand, words);
    assert.equal(code, status, `${words}: ${stderr}`);
    assert.equal(stdout, '');
    assert.ok(stderr.startsWith(`anchored: ${said}`) && stderr.trim().split('\n').length === 1, stderr);
  }
  const { version } = JSON.parse(readFileSync(join(top, 'package.json')));
  assert.equal((await run(anchoredCommand, ['--version'])).stdout, `anchored ${version}\n`);
  assert.ok((await run(anchoredCommand, ['--help'])).stdout.startsWith('usage: anchored '));
  assert.ok(existsSync(join(top, 'LICENSE-MIT')));
});
