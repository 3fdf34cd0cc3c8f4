// child_process.spawn() of a program that is to end with its anchor.
'use strict';

const { spawn } = require('node:child_process');
const { anchorEnv } = require('./environment.js');

function anchored(command, args, options) {
  // As spawn() takes them: the list may be left out.
  const [list, given] = Array.isArray(args) ? [args, options] : [[], args ?? options];
  const { anchor, ...rest } = given ?? {};
  return spawn(command, list, { ...rest, env: anchorEnv({ ...anchor, env: rest.env }) });
}

module.exports = { anchored };
