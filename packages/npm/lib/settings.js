// The options, as the variables of libanchor's contract. What is refused here would be a line on the child's stderr, at
// every start, and the default in its place.
'use strict';

const { constants } = require('node:os');
const { InvalidValueError } = require('./errors.js');

const LONGEST = 86_400_000;
const LARGEST_PID = 4_194_304;
const LAST_SIGNAL = process.platform === 'darwin' ? 31 : 64;
const NAMES = new Set(
  (
    'TERM INT HUP QUIT KILL USR1 USR2 WINCH ALRM ABRT PIPE IO CHLD CONT URG ILL TRAP BUS FPE SEGV SYS XCPU XFSZ ' +
    'VTALRM PROF'
  ).split(' '),
);
// What is asked with one of the first is stopped, and nobody is left to kill it; 32 and 33 are the C library's.
const REFUSED = ['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'].map((name) => constants.signals[name]).concat(32, 33);

// Option: its variable, what is accepted, and its value there; undefined where it is not accepted.
const SETTINGS = {
  signal: ['ANCHOR_SIGNAL', "a signal's name or number that does not stop a process, such as 'SIGINT' or 15", signal],
  grace: ['ANCHOR_GRACE', "milliseconds, '10s', '500ms' (at most 86400s), 0 or 'never'", grace],
  pdeathsig: ['ANCHOR_PDEATHSIG', "'auto', 'always' or 'never'", oneOf('auto', 'always', 'never')],
  scope: ['ANCHOR_SCOPE', "'tree' or 'self'", oneOf('tree', 'self')],
  skip: ['ANCHOR_SKIP', "globs of program names, such as ['ssh-agent', '*-daemon']", skip],
  log: ['ANCHOR_LOG', "the path of a file, or 'stderr'", (value) => (isText(value) ? value : undefined)],
  strict: ['ANCHOR_STRICT', 'true or false', (value) => (typeof value === 'boolean' ? String(Number(value)) : undefined)],
  fd: ['ANCHOR_FD', 'the number that a descriptor has in the program', fd],
  poll: ['ANCHOR_POLL', "milliseconds, '250ms' or '1s', from 1ms to 86400s", poll],
};

// The variables that these options set. Those that are not given stay as they are in the environment.
function variables(options) {
  const set = {};
  for (const [option, [variable, accepts, parse]] of Object.entries(SETTINGS)) {
    const value = options[option];
    if (value === undefined) continue;
    set[variable] = parse(value);
    if (set[variable] === undefined) throw new InvalidValueError(option, value, accepts);
  }
  return set;
}

function pidOf(value) {
  if (Number.isInteger(value) && value >= 1 && value <= LARGEST_PID) return value;
  throw new InvalidValueError('pid', value, `a process id from 1 to ${LARGEST_PID}`);
}

// A text without a NUL, which would end it.
function isText(value) {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

// 0 to 2 are the program's own.
function fd(value) {
  return Number.isInteger(value) && value > 2 && value < 2 ** 31 ? String(value) : undefined;
}

function oneOf(...words) {
  return (value) => (words.includes(value) ? value : undefined);
}

function signal(value) {
  if (typeof value === 'string' && !/^[0-9]+$/.test(value)) {
    const name = value.toUpperCase().replace(/^SIG/, '');
    return NAMES.has(name) ? name : undefined;
  }
  const number = typeof value === 'string' ? Number(value) : value;
  const usable = Number.isInteger(number) && number >= 1 && number <= LAST_SIGNAL && !REFUSED.includes(number);
  return usable ? String(number) : undefined;
}

function millis(value) {
  const [, digits, unit] = /^([0-9]+)(ms|s)$/.exec(value) ?? [];
  const count = typeof value === 'number' ? value : Number(digits) * (unit === 's' ? 1000 : 1);
  return Number.isInteger(count) && count >= 0 && count <= LONGEST ? `${count}ms` : undefined;
}

function grace(value) {
  if (value === 'never') return value;
  return value === '0' ? '0ms' : millis(value);
}

function poll(value) {
  const interval = millis(value);
  return interval === '0ms' ? undefined : interval;
}

// A class must be closed; a bracket that comes first in it is one of the class.
const GLOB = /^(?:[^[]|\[(?:![^]|[^!])[^\]]*\])*$/;

function skip(value) {
  const list = Array.isArray(value) ? value : [value];
  const globs = list.length > 0 && list.every(isText) ? list.join(':').split(':') : [];
  return globs.length > 0 && globs.every((glob) => GLOB.test(glob)) ? globs.join(':') : undefined;
}

module.exports = { pidOf, variables };
