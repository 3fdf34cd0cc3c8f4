// A copy of the library by a path that can be preloaded, for where the package's own has a blank or a colon. What is
// preloaded runs with all the rights of whoever runs it, so nobody but the user and root must be able to put other
// bytes in its place. Places and rules are those of the launcher `anchored`, which finds these copies and makes the same.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { UnusablePathError } = require('./errors.js');

const NAME = 'libanchor';
const OTHERS_WRITE = 0o022;
// Nobody but an entry's owner, and the folder's, may rename or remove the entry, inode(7).
const STICKY = 0o1000;

function copied(bytes, file, separator) {
  const hash = crypto.createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  const reasons = [];
  for (const place of new Set(places())) {
    try {
      return placed(folderIn(place, separator), `${NAME}-${hash}${path.extname(file)}`, bytes);
    } catch (error) {
      reasons.push(error.message);
    }
  }
  const why = reasons.join('; ') || 'nobody says where the home is';
  throw new UnusablePathError(`${file}: a path with a blank or a colon cannot be preloaded, and a copy has no place: ${why}`);
}

// On macOS no cache, because caches are emptied, and dyld ends a program whose library is gone.
function places() {
  const homes = [process.env.HOME];
  try {
    homes.push(os.userInfo().homedir);
  } catch {
    // Not every user is in the user database.
  }
  const mac = process.platform === 'darwin';
  const below = homes.filter(Boolean).map((home) => path.join(home, ...(mac ? ['Library', 'Application Support'] : ['.cache'])));
  return [mac ? undefined : process.env.XDG_CACHE_HOME, ...below].filter((place) => place && path.isAbsolute(place));
}

// The folder, made if it is not there, by a path without links.
// RACE: none is left to others. From the root on, each folder is looked at only after the one above it was found to be
// one in which others cannot change an entry that is not theirs.
function folderIn(cache, separator) {
  let there = cache;
  const missing = [NAME];
  while (!fs.existsSync(there)) {
    // The cache folder is made too, a home is not.
    if (missing.length > 1) throw new Error(`${there}: no such folder`);
    missing.unshift(path.basename(there));
    there = path.dirname(there);
  }
  there = fs.realpathSync(there);
  // ORDER: what would be in vain is not begun.
  const whole = path.join(there, ...missing);
  if (separator.test(whole)) throw new Error(`${whole}: a blank or a colon here too`);
  const above = [there];
  while (path.dirname(above[0]) !== above[0]) above.unshift(path.dirname(above[0]));
  above.forEach(look);
  if (isNoexec(there)) throw new Error(`${there}: on a file system that is mounted noexec`);
  for (const name of missing) {
    there = path.join(there, name);
    try {
      fs.mkdirSync(there, { mode: 0o700 });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    look(there);
  }
  const found = fs.lstatSync(there);
  if (found.uid !== process.geteuid()) throw new Error(`${there}: belongs to user ${found.uid}`);
  if (found.mode & OTHERS_WRITE) throw new Error(`${there}: others can write to it`);
  return there;
}

// That others can change no entry of this folder but their own.
function look(folder) {
  const found = fs.lstatSync(folder);
  if (!found.isDirectory()) throw new Error(`${folder}: not a folder`);
  if (found.uid !== process.geteuid() && found.uid !== 0) throw new Error(`${folder}: belongs to user ${found.uid}`);
  if (found.mode & OTHERS_WRITE && !(found.mode & STICKY)) throw new Error(`${folder}: others can write to it`);
}

// Node has no statvfs(3) that tells; proc_pid_mountinfo(5) does, in fields 5 and 6.
function isNoexec(folder) {
  let lines = [];
  try {
    lines = fs.readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n');
  } catch {
    return false;
  }
  const mounts = lines.map((line) => line.split(' ')).map((fields) => ({
    point: fields[4].replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8))),
    options: fields[5].split(','),
  }));
  const holds = ({ point }) => point === '/' || folder === point || folder.startsWith(`${point}/`);
  // Of two at one place the later one is seen.
  const last = mounts.filter(holds).reduce((best, each) => (each.point.length >= best.point.length ? each : best), {
    point: '',
    options: [],
  });
  return last.options.includes('noexec');
}

// The file of this name with these bytes: used if it is that, else put there.
// RACE: two first starts each write a file of their own and rename it; whoever opens the name finds a whole one.
function placed(folder, name, bytes) {
  const file = path.join(folder, name);
  if (has(file, bytes)) return file;
  const draft = path.join(folder, `.${NAME}-${crypto.randomBytes(6).toString('hex')}`);
  try {
    fs.writeFileSync(draft, bytes, { flag: 'wx', mode: 0o400 });
    fs.renameSync(draft, file);
  } catch (error) {
    fs.rmSync(draft, { force: true });
    throw error;
  }
  if (!has(file, bytes)) throw new Error(`${file}: is not what was written to it`);
  return file;
}

// Whether it is a file of this user's, that nobody else can write to, with these bytes. A FIFO is opened at once, and
// then found to be one.
function has(file, bytes) {
  let opened;
  try {
    opened = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const found = fs.fstatSync(opened);
    const ours = found.isFile() && found.uid === process.geteuid() && !(found.mode & OTHERS_WRITE);
    return ours && found.size === bytes.length && fs.readFileSync(opened).equals(bytes);
  } catch {
    return false;
  } finally {
    if (opened !== undefined) fs.closeSync(opened);
  }
}

module.exports = { copied };
