"""What a program is given, and what is refused before anything is started."""

import glob
import os
import pathlib
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
from unittest import mock

import anchor
from anchor import _identity, _library
from support import HERE, PRELOAD, clean, run, unittest

LIBRARY = _library.find()
LINUX = sys.platform == "linux"
PACKAGE = os.path.dirname(anchor.__file__)
COMMAND = os.path.join(os.path.dirname(sys.executable), "anchored")


def identity(pid):
    """As the library writes it down itself, where nobody has."""
    said = run(["env"], env=clean(**{"ANCHOR_PID": str(pid), PRELOAD: LIBRARY})).stdout
    whole = re.search("^ANCHOR_ID=(.*)$", said, re.M).group(1)
    # Python 3.8 cannot ask for the third number.
    return whole if hasattr(os, "pidfd_open") or not LINUX else ":".join(whole.split(":")[:2])


class Environment(unittest.TestCase):
    def test_it_names_the_anchor_and_who_it_is_and_the_library(self):
        before = clean(HOME="/h")
        made = anchor.env(
            before, signal="sigint", grace=1.5, scope="self", skip=["a", "b*"], strict=True, pdeathsig="never", poll="1s", log=pathlib.Path("/l")
        )
        ours = {
            "ANCHOR_PID": str(os.getpid()),
            "ANCHOR_ID": identity(os.getpid()),
            "ANCHOR_SIGNAL": "INT",
            "ANCHOR_GRACE": "1500ms",
            "ANCHOR_SCOPE": "self",
            "ANCHOR_SKIP": "a:b*",
            "ANCHOR_STRICT": "1",
            "ANCHOR_PDEATHSIG": "never",
            "ANCHOR_POLL": "1000ms",
            "ANCHOR_LOG": "/l",
            PRELOAD: LIBRARY,
        }
        self.assertEqual(made, {**before, **ours})

    def test_what_belongs_to_another_anchor_is_not_kept(self):
        inherited = {"ANCHOR_PID": "1", "ANCHOR_ID": "1:1", "ANCHOR_SCOPE": "self:1:1", "ANCHOR_GRACE": "7s"}
        made = anchor.env(inherited, pid=os.getppid(), grace=None)
        self.assertEqual(made["ANCHOR_PID"], str(os.getppid()))
        self.assertEqual(made["ANCHOR_ID"], identity(os.getppid()))
        self.assertEqual(made["ANCHOR_SCOPE"], "tree")
        self.assertEqual(made["ANCHOR_GRACE"], "7s", "what somebody further up has chosen holds")
        self.assertEqual(inherited["ANCHOR_ID"], "1:1", "what is given is not changed")

    def test_the_library_is_appended_once(self):
        copy = f"libanchor-{'0f' * 16}.so"
        for before, after in [
            (None, LIBRARY),
            ("/x.so", f"/x.so:{LIBRARY}"),
            ("/x.so /y.so" if LINUX else "/x.so:/y.so", f"/x.so:/y.so:{LIBRARY}"),
            (f"/old/libanchor.so:/x.so:{copy}", f"{LIBRARY}:/x.so"),
            (LIBRARY, LIBRARY),
        ]:
            base = {} if before is None else {PRELOAD: before}
            self.assertEqual(anchor.env(base)[PRELOAD], after)

    def test_a_name_may_hold_anything(self):
        for name in [b"sh", b"a b", b"a) R 1 2 3", b") Z 1 1", b"\n", b"\xff", b""]:
            line = b"12 (%s) S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 4711 0\n" % name
            self.assertEqual(_identity.start_in(line), "4711")
        self.assertIsNone(_identity.start_in(b""))

    @unittest.skipUnless(LINUX, "pidfds are Linux's")
    def test_a_handle_without_an_inode_of_its_own_says_nothing(self):
        """As Linux before 6.9 has it: one inode for whatever is of no file system."""
        whole = anchor.env({})["ANCHOR_ID"]
        with mock.patch("os.pidfd_open", lambda _: os.dup(select.epoll().fileno()), create=True):
            self.assertEqual(anchor.env({})["ANCHOR_ID"], ":".join(whole.split(":")[:2]))

    def test_the_start_on_macos_is_read_from_the_end_of_the_answer(self):
        answer = bytes(120) + struct.pack("=QQ", 1763900000, 7)
        self.assertEqual((_identity.started(answer), len(answer)), ("1763900000.000007", _identity.LENGTH))

    def test_bad_values_are_refused_each_with_what_is_wanted(self):
        for option, values in {
            "pid": [0, -5, 4194305, 1.5, "1", True],
            "signal": ["STOP", signal.SIGTSTP, 32, 33, 0, 65, 1.5, "", "SIG", "TERMINATE", True, [15], "\u0661\u0665"],
            "grace": ["soon", "10", -1, float("nan"), float("inf"), "1.5s", "10m", "86401s", 86401, "", True],
            "poll": [0, "0", "0ms", "never", "1", 0.0001],
            "scope": ["all", "", "self:1:1"],
            "skip": ["", [], "[a", ["b", "[!"], "a\0b", 3, [3]],
            "log": ["", "a\0b", 3],
            "strict": ["1", 1, "true"],
            "pdeathsig": ["yes", True],
            "if_unsupported": ["ignore", True, None],
        }.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    with self.assertRaisesRegex(anchor.InvalidValueError, f"^{option}: "):
                        anchor.env(**{option: value})
                    with self.assertRaises(ValueError):
                        anchor.Popen(["true"], **{option: value})
        words = "grace: soon: want seconds, '10s', '500ms' (at most 86400s), 0 or 'never'"
        with self.assertRaises(anchor.AnchorError) as raised:
            anchor.env(grace="soon")
        self.assertEqual(str(raised.exception), words)
        with self.assertRaisesRegex(TypeError, "'signals'"):
            anchor.env(signals="TERM")

    def test_a_number_that_nobody_has_is_refused_and_a_thread(self):
        child = subprocess.Popen(["true"], env=clean())
        child.wait()
        with self.assertRaisesRegex(anchor.NoSuchProcessError, f"{child.pid}: no such process"):
            anchor.env(pid=child.pid)
        if LINUX:
            with subprocess.Popen(["node", "-e", "process.stdin.resume()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=clean()) as other:
                while len(os.listdir(f"/proc/{other.pid}/task")) < 2:
                    pass
                thread = next(int(task) for task in os.listdir(f"/proc/{other.pid}/task") if int(task) != other.pid)
                with self.assertRaisesRegex(ProcessLookupError, f"a thread of process {other.pid}"):
                    anchor.env(pid=thread)


class Channel(unittest.TestCase):
    def test_it_is_a_pipe_that_is_handed_on_whatever_else_is(self):
        script = 'test -p /proc/self/fd/${ANCHOR_FD%%:*} && test -e /proc/self/fd/$1 && echo "$ANCHOR_FD"'
        with open(os.devnull) as other:
            command = ["sh", "-c", script, "sh", str(other.fileno())]
            options = {"stdout": subprocess.PIPE, "text": True, "env": clean()}
            with anchor.Popen(command, channel=True, pass_fds=[other.fileno()], **options) as child:
                said, _ = child.communicate()
        self.assertRegex(said, rf"^{anchor.channel()}(:\d+:\d+)?\n$")

    def test_it_is_one_for_all_and_another_where_it_was_closed(self):
        first = anchor.channel()
        self.assertEqual(anchor.channel(), first)
        self.assertFalse(os.get_inheritable(first))
        os.close(first)
        with open(os.devnull) as other:
            self.assertNotEqual(anchor.channel(), other.fileno())
        self.assertTrue(stat.S_ISFIFO(os.fstat(anchor.channel()).st_mode))

    def test_that_of_an_anchor_further_up_is_not_kept(self):
        self.assertNotIn("ANCHOR_FD", anchor.env({"ANCHOR_FD": "9"}))
        self.assertEqual(anchor.env({"ANCHOR_FD": "9"}, fd=4)["ANCHOR_FD"], "4")
        for fd in (0, 2, -1, 1.5, "3", True):
            with self.subTest(fd), self.assertRaisesRegex(anchor.InvalidValueError, "^fd: "):
                anchor.env(fd=fd)
        with self.assertRaisesRegex(anchor.InvalidValueError, "^channel: 1: want"):
            anchor.Popen(["true"], channel=1)


class Library(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="anchor-wheel-")
        self.addCleanup(shutil.rmtree, self.folder)

    def copy(self, name):
        """The package elsewhere, as a folder for PYTHONPATH."""
        shutil.copytree(PACKAGE, os.path.join(self.folder, name, "anchor"))
        return os.path.join(self.folder, name)

    def in_copy(self, place, program, **more):
        program = f"import pwd, sys; sys.path.insert(0, {place!r}); import anchor; assert anchor.__file__.startswith({place!r}); {program}"
        return run([sys.executable, "-c", program], env=clean(**more))

    def test_a_platform_without_a_library_is_a_typed_error_or_runs_unprotected(self):
        place = self.copy("other")
        with open(os.path.join(place, "anchor/_platform.py"), "w") as file:
            file.write("PLATFORM = None\n")
        raised = self.in_copy(place, "anchor.Popen(['true'])").stderr
        self.assertRegex(raised, "anchor._errors.UnsupportedPlatformError: .*libanchor has no library for it")
        same = "env = {'A': '1', 'ANCHOR_PID': '1', 'ANCHOR_ID': '1:1'}; assert anchor.env(env, if_unsupported='run') == env"
        ran = f"{same}; print(anchor.Popen(['true'], if_unsupported='run').wait())"
        self.assertEqual(self.in_copy(place, ran).stdout, "0\n")
        self.assertIn("InvalidValueError", self.in_copy(place, "anchor.env(grace='soon', if_unsupported='run')").stderr)

    def test_a_library_that_was_left_behind_is_a_typed_error(self):
        place = self.copy("bundle")
        shutil.rmtree(os.path.join(place, "anchor/lib"))
        raised = self.in_copy(place, "anchor.env(if_unsupported='run')").stderr
        self.assertRegex(raised, "LibraryNotFoundError: .*collect-data anchor")

    def test_a_library_that_is_named_is_taken_and_must_be_there(self):
        named = pathlib.Path(PACKAGE, "lib/../lib", os.path.basename(LIBRARY))
        self.assertEqual(anchor.env({}, library=named)[PRELOAD], LIBRARY)
        with self.assertRaisesRegex(anchor.LibraryNotFoundError, "/nowhere: no such file"):
            anchor.env(library="/nowhere")

    @unittest.skipUnless(LINUX, "blanks are no separators")
    def test_from_a_path_with_a_blank_it_is_copied_to_where_nobody_else_writes(self):
        place = self.copy("a b")
        home = os.path.join(self.folder, "home")
        os.mkdir(home)

        def preloads():
            # The user database has the same home.
            program = f"pwd.getpwuid = lambda _: pwd.struct_passwd(('', '', 0, 0, '', {home!r}, '')); print(anchor.env()['LD_PRELOAD'])"
            return self.in_copy(place, program, HOME=home, XDG_CACHE_HOME="")

        copy = preloads().stdout.strip()
        self.assertRegex(copy, f"^{home}/.cache/libanchor/libanchor-[0-9a-f]{{32}}.so$")
        with open(copy, "rb") as one, open(LIBRARY, "rb") as other:
            data = other.read()
            self.assertEqual(one.read(), data)
        self.assertEqual(stat.S_IMODE(os.stat(copy).st_mode), 0o400)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(copy)).st_mode), 0o700)
        number = os.stat(copy).st_ino
        self.assertEqual((preloads().stdout.strip(), os.stat(copy).st_ino), (copy, number), "what is right stays")
        os.rename(copy, copy + ".old")
        with open(copy, "wb") as file:
            file.write(b"wrong")
        self.assertEqual(preloads().stdout.strip(), copy)
        with open(copy, "rb") as file:
            self.assertEqual(file.read(), data, "what is wrong is replaced")
        # Others could put something else there.
        os.chmod(os.path.join(home, ".cache"), 0o777)
        refused = preloads()
        self.assertEqual(refused.stdout, "")
        self.assertRegex(refused.stderr, "UnusablePathError: .*a blank or a colon cannot be preloaded.*others can write to it")


class Command(unittest.TestCase):
    def test_it_becomes_the_program(self):
        script = f'echo $$ $ANCHOR_PID $ANCHOR_SIGNAL $ANCHOR_GRACE $ANCHOR_ID $ANCHOR_SCOPE; echo "${PRELOAD}"; printf "%s|" "$@"; exit 7'
        words = ["--signal", "INT", "--grace=3s", "--", "sh", "-c", script, "sh", "a  *", "it's", "", "--pid"]
        before = clean(ANCHOR_ID="1:1", ANCHOR_SCOPE="self:1:1")
        with subprocess.Popen([COMMAND, *words], stdout=subprocess.PIPE, text=True, env=before) as child:
            said, _ = child.communicate()
        own = os.getpid()
        self.assertEqual(said, f"{child.pid} {own} INT 3000ms {identity(own)} tree\n{LIBRARY}\na  *|it's||--pid|")
        self.assertEqual(child.returncode, 7)

    @unittest.skipUnless(LINUX, "by /proc")
    def test_it_leaves_no_signal_ignored(self):
        # By its path, because subprocess then starts both in the same way: posix_spawn(3) leaves two signals ignored.
        reader = [shutil.which("grep"), "SigIgn", "/proc/self/status"]
        self.assertEqual(run([COMMAND, *reader]).stdout, run(reader).stdout)

    def test_it_fails_as_env_and_timeout_do(self):
        for words, status, said in [
            ([], 125, "no command"),
            (["--pid"], 125, "argument --pid"),
            (["--pid", "abc", "true"], 125, "pid: abc: want a process id"),
            (["--grace", "soon", "true"], 125, "grace: soon: want"),
            (["--nope", "true"], 125, "unrecognized arguments: --nope"),
            (["--check", "true"], 125, "--check: is an option of the launcher"),
            (["/etc/passwd"], 126, "/etc/passwd: cannot be run"),
            (["no-such-program"], 127, "no-such-program: not found"),
            (["./no-such-program"], 127, "./no-such-program: not found"),
        ]:
            with self.subTest(words):
                done = run([COMMAND, *words])
                self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
                self.assertTrue(done.stderr.startswith(f"anchored: {said}") and done.stderr.count("\n") == 1, done.stderr)
        self.assertTrue(run([COMMAND, "--help"]).stdout.startswith("usage: anchored "))


class Package(unittest.TestCase):
    def test_it_is_typed_and_licensed(self):
        self.assertTrue(os.path.isfile(os.path.join(PACKAGE, "py.typed")))
        licenses = glob.glob(os.path.join(os.path.dirname(PACKAGE), "libanchor-*.dist-info/licenses/LICENSE-*"))
        self.assertEqual(len(licenses), 2)
        self.assertTrue(PACKAGE.startswith(sys.prefix), f"{PACKAGE}: not the one that was installed into {sys.prefix}, for {HERE}")


if __name__ == "__main__":
    unittest.main()
