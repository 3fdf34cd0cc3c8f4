// The environment of a program that is to end with its anchor.
'use strict';

const { InvalidValueError, UnsupportedPlatformError } = require('./errors.js');
const { identityOf } = require('./identity.js');
const { PRELOAD, appended, find } = require('./library.js');
const { pidOf, variables } = require('./settings.js');

function anchorEnv(options = {}) {
  const { pid: given, env: before = process.env, ifUnsupported = 'throw' } = options;
  if (!['throw', 'run'].includes(ifUnsupported)) {
    throw new InvalidValueError('ifUnsupported', ifUnsupported, "'throw' or 'run'");
  }
  const pid = given === undefined ? process.pid : pidOf(given);
  // ORDER: before the platform, so that a bad value shows on every one.
  const settings = { ANCHOR_PID: String(pid), ...variables(options) };
  const env = { ...before };
  let library;
  try {
    library = find(options.library);
  } catch (error) {
    if (error instanceof UnsupportedPlatformError && ifUnsupported === 'run') return env;
    throw error;
  }
  forget(env);
  const id = identityOf(pid);
  if (id !== undefined) settings.ANCHOR_ID = id;
  return Object.assign(env, settings, { [PRELOAD]: appended(env[PRELOAD], library) });
}

// What belongs to another anchor, in a process that is itself anchored. A kept identity would have the new number taken
// for that of a dead process; its descriptor is not handed on, and the number is another file's or nobody's; a scope that
// is pinned to a process leaves out all others.
function forget(env) {
  delete env.ANCHOR_ID;
  delete env.ANCHOR_FD;
  if (env.ANCHOR_SCOPE?.startsWith('self:')) env.ANCHOR_SCOPE = 'tree';
}

module.exports = { anchorEnv };
