/// <reference types="node" />
import type { ChildProcess, ChildProcessWithoutNullStreams, SpawnOptions, SpawnOptionsWithoutStdio } from 'node:child_process';

/** How a program ends when its anchor dies. What is not given is as the environment has it, else libanchor's default. */
export interface AnchorSettings {
  /** The anchor: the process whose death ends the program. Default: this one. */
  pid?: number;
  /** What the program is asked with: a name or a number. Default: `'SIGTERM'`. */
  signal?: string | number;
  /** How long it then has until SIGKILL: milliseconds, `'10s'`, `'500ms'` or `'never'`. Default: `'10s'`. */
  grace?: number | string;
  /** Who is meant: every descendant too, or the program alone. Default: `'tree'`. */
  scope?: 'tree' | 'self';
  /** Globs of the names of programs that are left alone. */
  skip?: string | readonly string[];
  /** Where one line an event is written: the path of a file, or `'stderr'`. Default: nowhere. */
  log?: string;
  /** Whether a program that cannot be armed does not run (one line on stderr, exit 125). Default: `false`. */
  strict?: boolean;
  /** Whether the kernel's parent death signal is set too. Default: `'auto'`. */
  pdeathsig?: 'auto' | 'always' | 'never';
  /** How often the anchor is looked at where the kernel offers no event: milliseconds or `'250ms'`. */
  poll?: number | string;
  /** The number that a descriptor has in the program: of a pipe or stream socket whose hang-up is the anchor's death too. */
  fd?: number;
  /** The library's file, where it is not the package's own. */
  library?: string;
  /** Where the package has no library for the platform: throw, or run the program unprotected. Default: `'throw'`. */
  ifUnsupported?: 'throw' | 'run';
}

/** What `anchorEnv` takes. */
export interface AnchorEnvOptions extends AnchorSettings {
  /** What it adds to. Default: `process.env`. */
  env?: NodeJS.ProcessEnv;
}

/** What `anchored` takes. */
export interface AnchoredSettings extends Omit<AnchorSettings, 'fd'> {
  /** One more pipe, the last of `stdio`, whose hang-up is the anchor's death too: for other PID namespaces. Default: `false`. */
  channel?: boolean;
}

/** With the options of `child_process.spawn`, and how the program is anchored. */
export type Anchored<Options> = Options & { anchor?: AnchoredSettings };

/** As `child_process.spawn`: a program that ends when this process dies, whatever ends it. */
export function anchored(command: string, args?: readonly string[], options?: Anchored<SpawnOptionsWithoutStdio>): ChildProcessWithoutNullStreams;
export function anchored(command: string, args: readonly string[], options: Anchored<SpawnOptions>): ChildProcess;
export function anchored(command: string, options: Anchored<SpawnOptionsWithoutStdio>): ChildProcessWithoutNullStreams;
export function anchored(command: string, options: Anchored<SpawnOptions>): ChildProcess;

/** The environment of such a program, for whoever starts it otherwise: `fork`, `execFile`, a worker's own spawn. */
export function anchorEnv(options?: AnchorEnvOptions): NodeJS.ProcessEnv;

/** What is thrown before a program is started. */
export class AnchorError extends Error {
  readonly code: string;
}
/** An option has a value that it does not take: `ERR_ANCHOR_VALUE`. */
export class InvalidValueError extends AnchorError {}
/** The library is not where it should be (a bundle, an archive): `ERR_ANCHOR_NO_LIBRARY`. */
export class LibraryNotFoundError extends AnchorError {}
/** Nobody has this process id: `ERR_ANCHOR_NO_PROCESS`. */
export class NoSuchProcessError extends AnchorError {}
/** There is no library for this platform: `ERR_ANCHOR_UNSUPPORTED_PLATFORM`. */
export class UnsupportedPlatformError extends AnchorError {
  /** As in `win32-x64`. */
  readonly platform: string;
}
/** The library's path cannot be preloaded, and a copy has no place: `ERR_ANCHOR_PATH`. */
export class UnusablePathError extends AnchorError {}
