// What a TypeScript user writes, and what the compiler must refuse.
import { spawn } from 'node:child_process';
import { AnchorError, UnsupportedPlatformError, anchorEnv, anchored } from 'libanchor';
import type { AnchorSettings } from 'libanchor';

const settings: AnchorSettings = { signal: 'SIGINT', grace: 500, scope: 'self', skip: ['a', 'b'] };
anchored('a').stdout.on('data', () => {});
anchored('a', ['b'], { cwd: '/', anchor: settings }).stdin.end();
anchored('a', ['b'], { stdio: 'inherit', detached: true, anchor: settings }).unref();
anchored('a', { shell: true, signal: new AbortController().signal }).pid?.toFixed();
anchored('a', { stdio: ['ignore', 1, 2], anchor: { channel: true } }).stdout?.pause();
spawn('a', { stdio: ['pipe', 'pipe', 'pipe', 'pipe'], env: anchorEnv({ fd: 3 }) });
const env: NodeJS.ProcessEnv = anchorEnv({ pid: 7, env: { PATH: '/bin' }, ifUnsupported: 'run' });
spawn('a', { env });
try {
  anchored('a');
} catch (error) {
  if (error instanceof UnsupportedPlatformError) console.log(error.platform.length);
  else if (error instanceof AnchorError) console.log(error.code.length, error.message);
}

// @ts-expect-error: a word that is none of them
anchored('a', [], { anchor: { scope: 'all' } });
// @ts-expect-error: an option that does not exist
anchorEnv({ signals: 'TERM' });
// @ts-expect-error: its environment is the child's
anchored('a', [], { anchor: { env: {} } });
// @ts-expect-error: the pipe is made by whoever gives its number
anchorEnv({ channel: true });
// @ts-expect-error: nothing is piped
anchored('a', [], { stdio: 'inherit' }).stdout.pause();
