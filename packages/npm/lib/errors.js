// What can go wrong before a program is started. Each has a `code`, for whoever has two copies of the package, where
// instanceof says no.
'use strict';

class AnchorError extends Error {
  constructor(code, message) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

// An option has a value that it does not take.
class InvalidValueError extends AnchorError {
  constructor(option, value, accepts) {
    super('ERR_ANCHOR_VALUE', `${option}: ${shown(value)}: want ${accepts}`);
  }
}

// The library is not where it should be.
class LibraryNotFoundError extends AnchorError {
  constructor(message) {
    super('ERR_ANCHOR_NO_LIBRARY', message);
  }
}

// Nobody has the number.
class NoSuchProcessError extends AnchorError {
  constructor(message) {
    super('ERR_ANCHOR_NO_PROCESS', message);
  }
}

// There is no library for this platform in the package.
class UnsupportedPlatformError extends AnchorError {
  constructor(platform) {
    super('ERR_ANCHOR_UNSUPPORTED_PLATFORM', `${platform}: libanchor has no library for it`);
    this.platform = platform;
  }
}

// The library's path cannot be named to the dynamic loader, and there is no place for a copy.
class UnusablePathError extends AnchorError {
  constructor(message) {
    super('ERR_ANCHOR_PATH', message);
  }
}

function shown(value) {
  return typeof value === 'string' ? value : require('node:util').inspect(value, { depth: 0, breakLength: Infinity });
}

module.exports = {
  AnchorError,
  InvalidValueError,
  LibraryNotFoundError,
  NoSuchProcessError,
  UnsupportedPlatformError,
  UnusablePathError,
};
