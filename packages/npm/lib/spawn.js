// child_process.spawn() of a program that is to end with its anchor.
'use strict';

const { spawn } = require('node:child_process');
const { anchorEnv } = require('./environment.js');
const { InvalidValueError } = require('./errors.js');

function anchored(command, args, options) {
  // As spawn() takes them: the list may be left out.
  const [list, given] = Array.isArray(args) ? [args, options] : [[], args ?? options];
  const { anchor: { channel = false, ...anchor } = {}, ...rest } = given ?? {};
  if (typeof channel !== 'boolean') throw new InvalidValueError('channel', channel, 'true or false');
  if (!channel) return spawn(command, list, { ...rest, env: anchorEnv({ ...anchor, env: rest.env }) });

  const stdio = three(rest.stdio);
  const env = anchorEnv({ ...anchor, env: rest.env, fd: stdio.length });
  // No library, nobody to hear of it.
  if (env.ANCHOR_FD !== String(stdio.length)) return spawn(command, list, { ...rest, env });
  const child = spawn(command, list, { ...rest, stdio: [...stdio, 'pipe'], env });
  hold(child, child.stdio?.[stdio.length]);
  return child;
}

function three(stdio) {
  const list = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio];
  return [...list, ...Array(Math.max(0, 3 - list.length)).fill('pipe')];
}

// The anchor's end. Nothing closes it but this process's end: when the child has ended, what that has started may still
// have the other one, and would take a hang-up for the anchor's death. Node closes it when nobody is left who has.
function hold(child, channel) {
  if (!channel) return; // the program was not started
  channel.unref();
  channel.on('error', () => {});
  channel.resume();
  // The child's `close` waits for all of its pipes. It must not for this one, which descendants may have for long.
  child.once('exit', () => {
    channel.emit('close');
    channel.removeAllListeners('close');
  });
}

module.exports = { anchored };
