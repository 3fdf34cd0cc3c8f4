// Who a process is, so that another one that is given its number later is not taken for it.
'use strict';

const fs = require('node:fs');
const { NoSuchProcessError } = require('./errors.js');

// `<inode of the PID namespace>:<start in clock ticks>`, as ANCHOR_ID has it. undefined where it cannot be known: the
// first host then writes down whom it finds. That is so where there is no /proc, or it hides the process, and on macOS:
// no function of Node's tells the start time there, and ps(1) only in seconds.
function identityOf(pid) {
  assertThere(pid);
  // /proc has the numbers of the PID namespace that it was mounted for. Where that is not ours, it is about others.
  if (process.platform !== 'linux' || read('/proc/self/stat')?.split(' ', 1)[0] !== String(process.pid)) return undefined;
  const owner = /^Tgid:\t([0-9]+)$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  if (owner !== undefined && owner !== String(pid)) {
    throw new NoSuchProcessError(`pid: ${pid}: a thread of process ${owner}`);
  }
  const start = startIn(read(`/proc/${pid}/stat`) ?? '');
  try {
    return start && `${fs.statSync('/proc/self/ns/pid').ino}:${start}`;
  } catch {
    return undefined;
  }
}

function assertThere(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') throw new NoSuchProcessError(`pid: ${pid}: no such process`);
  }
}

// Field 22 of proc_pid_stat(5). The name in field 2 may hold anything: fields are counted from its closing parenthesis.
function startIn(stat) {
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[22 - 3];
  return /^[0-9]+$/.test(start) ? start : undefined;
}

function read(file) {
  try {
    return fs.readFileSync(file, 'latin1'); // names are bytes
  } catch {
    return undefined;
  }
}

module.exports = { identityOf, startIn };
