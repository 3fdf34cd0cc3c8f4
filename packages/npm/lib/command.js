// What bin/anchored is to do, as lines for the shell that it is: Node has no exec(2).
'use strict';

const { anchorEnv } = require('./environment.js');
const { AnchorError } = require('./errors.js');
const { version } = require('../package.json');

const USAGE = 'usage: anchored [OPTION]... [--] COMMAND [ARG]...';
const HELP = `${USAGE}

Becomes COMMAND, so that it ends when process PID dies, whatever ends that process.

  --pid PID        the anchor; default: the caller
  --signal SIGNAL  what COMMAND is asked with; default TERM
  --grace TIME     how long it then has until SIGKILL: 10s, 500ms, 0, never; default 10s
  --scope SCOPE    tree, every descendant too; or self, COMMAND alone
  --skip GLOBS     programs to leave alone, as ssh-agent:*-daemon
  --log FILE       where one line an event is written: a file, or stderr
  --strict         what cannot be armed does not run

Exit status: 125 anchored itself failed, 126 COMMAND cannot be run, 127 COMMAND was not found, otherwise COMMAND's.
This is not the launcher of the same name: that one also stands beside programs that cannot load a library, has --check,
--list and more, and comes with cargo install, the .deb or the archive.`;
const TAKES = ['--pid', '--signal', '--grace', '--scope', '--skip', '--log'];
const LAUNCHERS = ['--check', '--list', '--sweep', '--print-env', '--release', '--supervise', '--probe', '--json', '--dry-run'];

class Misuse extends Error {}

// The options before the command, and how many words they are.
function read(words) {
  const options = {};
  let at = 0;
  while (at < words.length && words[at].startsWith('-') && words[at] !== '--') {
    const [name, value] = words[at].split(/=(.*)/s, 2);
    at += 1;
    if (name === '--strict' && value === undefined) {
      options.strict = true;
    } else if (TAKES.includes(name)) {
      if (value === undefined && at >= words.length) throw new Misuse(`${name}: want a value; ${USAGE}`);
      options[name.slice(2)] = value ?? words[at++];
    } else if (['-h', '--help', '--version'].includes(name)) {
      return { says: name === '--version' ? `anchored ${version}` : HELP };
    } else if (LAUNCHERS.includes(name)) {
      throw new Misuse(`${name}: is an option of the launcher, which this package does not bring; see --help`);
    } else {
      throw new Misuse(`${name}: unknown option; ${USAGE}`);
    }
  }
  return { options, count: words[at] === '--' ? at + 1 : at };
}

function script(caller, words) {
  const { says, options, count } = read(words);
  if (says !== undefined) return `printf '%s\\n' ${quoted(says)}; exit 0`;
  if (count >= words.length) throw new Misuse(`no command; ${USAGE}`);
  const { pid = caller, ...rest } = options;
  const env = anchorEnv({ ...rest, pid: /^[0-9]+$/.test(pid) ? Number(pid) : pid });
  const names = Object.keys(env).filter((name) => env[name] !== process.env[name]);
  const set = names.map((name) => `export ${name}=${quoted(env[name])}`);
  // Only what is ours leaves; the rest of the environment is not touched.
  const gone = Object.keys(process.env).filter((name) => name.startsWith('ANCHOR_') && !(name in env));
  return [...set, ...gone.map((name) => `unset ${name}`), `shift ${count}`].join('\n');
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

try {
  console.log(script(process.argv[2], process.argv.slice(3)));
} catch (error) {
  if (!(error instanceof Misuse || error instanceof AnchorError)) throw error;
  console.error(`anchored: ${error.message}`);
  process.exitCode = 125;
}
