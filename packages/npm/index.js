// What the package offers. It is named one by one, so that Node finds the names for ES modules too.
'use strict';

const { anchorEnv } = require('./lib/environment.js');
const { anchored } = require('./lib/spawn.js');
const errors = require('./lib/errors.js');

module.exports = {
  anchored,
  anchorEnv,
  AnchorError: errors.AnchorError,
  InvalidValueError: errors.InvalidValueError,
  LibraryNotFoundError: errors.LibraryNotFoundError,
  NoSuchProcessError: errors.NoSuchProcessError,
  UnsupportedPlatformError: errors.UnsupportedPlatformError,
  UnusablePathError: errors.UnusablePathError,
};
