"""A sidecar ends with the app that started it, in whatever way; and without the package it does not."""

import json
import os
import re
import signal
import sys
import tempfile

from support import HERE, Tree, answers, unittest

APP = os.path.join(HERE, "programs/app.py")


class Death(unittest.TestCase):
    def app(self, way, *more):
        return Tree(self, [sys.executable, APP, way, *more])

    def test_a_sidecar_ends_with_its_app(self):
        """test -> app (anchor) -> [sh, forkserver ->] server"""
        ways = "plainly session shell own_env bytes_env run thread asyncio spawn forkserver"
        for way in ways.split():
            with self.subTest(way):
                tree = self.app(way)
                _, port = tree.ready()
                if way == "thread":
                    tree.says("^the thread has ended$")
                self.assertEqual(answers(port), 200)
                tree.kill_anchor()
                tree.gone()
                self.assertIn("asked SIGTERM\n", tree.text)

    def test_an_unprotected_sidecar_stays_behind(self):
        tree = self.app("unprotected")
        pid, port = tree.ready()
        tree.kill_anchor()
        self.assertEqual(answers(port), 200)
        os.kill(pid, signal.SIGKILL)
        tree.gone()

    def test_a_sidecar_is_asked_with_the_signal_that_was_chosen(self):
        tree = self.app("plainly", '{"signal": "SIGUSR2"}')
        tree.ready()
        tree.kill_anchor()
        tree.gone()
        self.assertIn("asked SIGUSR2\n", tree.text)

    def test_a_sidecar_that_does_not_listen_is_asked_and_killed_after_the_grace(self):
        """Whether a handler runs before a short grace is over depends on the machine: so two of them."""
        tree = self.app("plainly", '{"grace": "never"}', "deaf")
        pid, port = tree.ready()
        tree.kill_anchor()
        tree.says("^asked SIGTERM$")
        self.assertEqual(answers(port), 200)
        os.kill(pid, signal.SIGKILL)
        tree.gone()
        tree = self.app("plainly", '{"grace": 0.2}', "deaf")
        tree.ready()
        tree.kill_anchor()
        tree.gone()

    def test_a_sidecar_ends_with_the_process_that_was_named(self):
        """test -> stranger (anchor), test -> app -> server"""
        stranger = self.app("unprotected")
        stranger.ready()
        tree = self.app("plainly", json.dumps({"pid": stranger.anchor.pid}))
        _, port = tree.ready()
        self.assertEqual(answers(port), 200)
        stranger.kill_anchor()
        tree.says("^asked SIGTERM$")
        self.assertIsNone(tree.anchor.poll(), "the app lives")

    def test_a_sidecar_with_a_channel_ends_with_the_process_that_holds_it(self):
        """The process that is named lives, so it is the pipe that tells: test (named) -> app (holds the pipe) -> server"""
        named = json.dumps({"pid": os.getpid()})
        for way in ("channel", "asyncio_and_channel", "forked"):
            with self.subTest(way):
                tree = self.app(way, named)
                _, port = tree.ready()
                if way == "forked":
                    tree.sidecars.append(int(tree.says(r"^forked (\d+)$").group(1)))
                self.assertEqual(answers(port), 200)
                tree.kill_anchor()
                tree.says("^asked SIGTERM$")
                if way == "forked":
                    os.kill(tree.sidecars[-1], signal.SIGKILL)
                tree.gone()
        tree = self.app("plainly", named)
        pid, port = tree.ready()
        tree.kill_anchor()
        self.assertEqual(answers(port), 200)
        os.kill(pid, signal.SIGKILL)
        tree.gone()

    def test_the_lines_of_the_page(self):
        """The page's first lines, as they are, on a port that is free; and the same with subprocess's own Popen."""
        with open(os.path.join(HERE, "README.md")) as page:
            lines = re.search(r"```python\n([^`]*)```", page.read()).group(1)
        changed = lines.replace('"8000"', '"0", "--bind", "127.0.0.1"').replace("server.pid", 'f"ready {server.pid} 0"')
        without = changed.replace("import anchor", "import subprocess as anchor")
        without = re.sub(r', signal="SIGINT", grace=5', "", without)
        for program in (changed, without):
            with self.subTest(program), tempfile.TemporaryDirectory() as folder:
                tree = Tree(self, [sys.executable, "-c", program], cwd=folder)
                pid, _ = tree.ready()
                port = int(tree.says(r"^Serving HTTP on .* port (\d+)").group(1))
                self.assertEqual(answers(port), 200)
                tree.kill_anchor()
                if program == without:
                    self.assertEqual(answers(port), 200)
                    os.kill(pid, signal.SIGKILL)
                tree.gone()


if __name__ == "__main__":
    unittest.main()
