// Where the library is, and what the dynamic loader is told of it.
'use strict';

const path = require('node:path');
const { LibraryNotFoundError, UnsupportedPlatformError } = require('./errors.js');
const { copied } = require('./copy.js');
// Electron's own fs shows what is packed in app.asar as if it were files; the dynamic loader sees none there.
const fs = process.versions.electron ? require('original-fs') : require('node:fs');

const MAC = process.platform === 'darwin';
const FILE = MAC ? 'libanchor.dylib' : 'libanchor.so';
const PRELOAD = MAC ? 'DYLD_INSERT_LIBRARIES' : 'LD_PRELOAD';
// What stands between the variable's entries, ld.so(8), dyld(1): there is no escape, so it cannot be in a path.
const SEPARATOR = MAC ? /:/ : /[ \t\n\f\r:]/;
const COPY = /^libanchor(-[0-9a-f]{32})?\.(so|dylib)$/i;

// The library for this platform, by a path that can be preloaded.
function find(named, top = path.dirname(__dirname), platform = `${process.platform}-${process.arch}`) {
  const file = fs.realpathSync(named === undefined ? ofPackage(top, platform) : existing(named));
  return SEPARATOR.test(file) ? copied(fs.readFileSync(file), file, SEPARATOR) : file;
}

function ofPackage(top, platform) {
  const tops = [unpacked(top), top].filter((each) => isFolder(path.join(each, 'prebuilds')));
  if (tops.length === 0) throw new LibraryNotFoundError(`${top}: no libraries there: ${advice(top)}`);
  const files = tops.map((each) => path.join(each, 'prebuilds', platform, FILE));
  const file = files.find(isFile);
  if (file === undefined) throw new UnsupportedPlatformError(platform);
  return file;
}

// What electron-builder and others keep out of the archive is beside it, in a folder of this name.
function unpacked(folder) {
  return folder.replace(/\.asar(?=[\\/])/, '.asar.unpacked');
}

function advice(top) {
  return unpacked(top) === top
    ? 'a bundler must leave libanchor external, or option library names the file'
    : 'list node_modules/libanchor in asarUnpack';
}

function existing(file) {
  if (typeof file !== 'string' || !isFile(file)) throw new LibraryNotFoundError(`library: ${file}: no such file`);
  return file;
}

function isFile(file) {
  return stat(file)?.isFile() ?? false;
}

function isFolder(folder) {
  return stat(folder)?.isDirectory() ?? false;
}

function stat(file) {
  try {
    return fs.statSync(file);
  } catch {
    return undefined;
  }
}

// The variable's value with this library in it: what was there keeps its place. Another copy of the library leaves its
// place to this one: each would watch.
function appended(before, library) {
  const others = (before ?? '').split(SEPARATOR).filter((entry) => entry !== '');
  const first = others.findIndex(isCopy);
  const entries = others.filter((entry) => !isCopy(entry));
  entries.splice(first === -1 ? entries.length : first, 0, library);
  return entries.join(':');
}

function isCopy(entry) {
  return COPY.test(path.basename(entry));
}

module.exports = { FILE, PRELOAD, appended, find };
