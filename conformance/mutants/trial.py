"""Tries implementations: builds a mutant as a plug-in, runs programs on it, and fuzzes it.

Only the changed source is compiled; the objects of the others are made once.
"""
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path

from . import operators
from .source import LANGUAGE

# As scripts/build-impl, without what nobody reads: debug information.
SANITIZE = ["-fsanitize=address", "-fsanitize=fuzzer-no-link"]
COMPILE = [*LANGUAGE, "-O2", "-g0", "-fPIC", "-ftrivial-auto-var-init=pattern"]
INSTRUMENTED = [*COMPILE, "-fno-omit-frame-pointer", *SANITIZE]
LINK = ["-shared", *SANITIZE, "-Wl,-Bsymbolic"]

FINDINGS = "diverges|crashes|hangs|deadlocks|leaks|bugchecks"
PROFILES = ("documented", "windows")
RUN_SECONDS = 5  # for all programs together; one that hangs takes a second of it
BOOT = "(boot)"  # stands for the case when the implementation does not even start
PATIENCE = 120  # seconds until a command that should have ended is given up


class Failure(Exception):
    """The tools failed, not the implementation."""


class Laboratory:
    """`cbfuzz` judges; `sources` are those of the implementation that is changed."""

    def __init__(self, root, sources, compiler, cbfuzz, work):
        self.root, self.compiler, self.cbfuzz, self.work = root, compiler, cbfuzz, work
        self.includes = [root / "cbfuzz/nt/include", *{each.path.parent for each in sources}]
        self.objects, self.codes = {}, {}
        for source in sources:
            self.objects[source.path] = work / f"{source.path.stem}.o"
            self.codes[source.path] = source.path, self._compile(COMPILE, source.text, work / "plain.o")
            if not self._compile(INSTRUMENTED, source.text, self.objects[source.path]):
                raise Failure(f"{source.path}: does not compile as it is")

    def unchanged(self):
        """The implementation as it is, as a plug-in."""
        return self._link("unchanged", self.objects.values())

    def code(self, source, mutant):
        """What tells whether two mutants are one: the object code. None: it does not compile."""
        code = self._compile(COMPILE, operators.apply(source, mutant), self.work / f"{mutant.id}.plain.o")
        return code and (source.path, code)

    def plugin(self, source, mutant):
        """The implementation with this change."""
        own = self.work / f"{mutant.id}.o"
        if not self._compile(INSTRUMENTED, operators.apply(source, mutant), own):
            raise Failure(f"{mutant.id}: compiles, but not instrumented")
        plugin = self._link(mutant.id, [own if path == source.path else each for path, each in self.objects.items()])
        own.unlink()
        return plugin

    def _compile(self, flags, text, out):
        """The object's bytes; None if the compiler refuses."""
        command = [self.compiler, *flags, *(f"-I{folder}" for folder in self.includes), "-x", "c", "-", "-c", "-o", out]
        done = subprocess.run([str(word) for word in command], input=text, stderr=subprocess.DEVNULL)
        if done.returncode:
            return None
        code = out.read_bytes()
        if flags is COMPILE:
            out.unlink()
        return code

    def _link(self, name, objects):
        out = self.work / f"{name}.so"
        done = subprocess.run([str(word) for word in [self.compiler, *LINK, *objects, "-o", out]], stderr=subprocess.PIPE)
        if done.returncode:
            raise Failure(f"{name}: cannot be linked: {done.stderr.decode(errors='replace')[-400:]}")
        return out

    def run(self, implementation, paths):
        """{program: verdict} of those that found something; not all of them if some hang."""
        for seconds in (RUN_SECONDS, PATIENCE):
            code, out, err = self._command(seconds, "run", "--impl", implementation, *paths)
            found = {path: verdict for verdict, path in re.findall(rf"^({FINDINGS}) +(.+)$", out, re.M)}
            if found or code == 0:
                return found
            if code == 2:
                return {BOOT: _last_line(err)}
            if code is not None:
                raise Failure(f"{self.cbfuzz} run --impl {implementation} ended with {code}: {err.strip()[-400:]}")
        raise Failure(f"{self.cbfuzz} run --impl {implementation}: no finding and no end in {PATIENCE} s")

    def conform(self, implementation, profile, cases=()):
        """{case: verdict} of those that fail, of all or some."""
        code, out, err = self._command(PATIENCE, "conform", "--impl", implementation, "--profile", profile, "--json", *cases)
        if code == 2:
            return {BOOT: _last_line(err)}
        if code not in (0, 1):
            raise Failure(f"{self.cbfuzz} conform --impl {implementation} ended with {code}: {err.strip()[-400:]}")
        return {case["file"]: case["verdict"] for case in json.loads(out)["cases"] if case["status"] == "fails"}

    def threads(self, implementation):
        """What the unit program said that has several threads use the implementation; None if all is well."""
        program = implementation.with_suffix(".threads")
        objects = [*sorted((self.root / "build/test/cbfuzz/nt").glob("*.o")),
                   self.root / "build/test/conformance/tests/unit/callback_test.o"]
        done = subprocess.run([str(word) for word in [self.compiler, *SANITIZE, "-rdynamic", *objects, implementation,
                                                      "-o", program]], stderr=subprocess.PIPE)
        if done.returncode:
            raise Failure(f"{program.name}: cannot be linked (make unit?): {done.stderr.decode(errors='replace')[-400:]}")
        try:
            done = subprocess.run([str(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
        finally:
            program.unlink()
        return f"{done.returncode}: {_last_line(done.stderr.decode(errors='replace'))}" if done.returncode else None

    def fuzz(self, implementation, profile, seconds):
        """The first finding, with its program; None."""
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            corpus = Path(folder, "corpus")
            corpus.mkdir()
            code, out, err = self._command(seconds + PATIENCE, "fuzz", "--impl", implementation, "--profile", profile,
                                           "--seconds", seconds, "--seed", 1, "--json", "--artifacts", folder,
                                           corpus, "corpus/seed")
            if code == 2:  # it does not boot
                return {"profile": profile, "signature": _last_line(err), "program": ""}
            if code not in (0, 1):
                raise Failure(f"{self.cbfuzz} fuzz --impl {implementation} ended with {code}: {err.strip()[-400:]}")
            if code == 0:
                return None
            finding = json.loads(out)["findings"][0]
            program = self.root / finding["file"]
            return {"profile": profile, "signature": finding["signature"],
                    "program": program.read_text() if program.is_file() else ""}

    def _command(self, seconds, *arguments):
        """(exit code, None when it had to be stopped; its output; its errors)."""
        process = subprocess.Popen([str(word) for word in (self.cbfuzz, *arguments)], cwd=self.root, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=seconds)
            code = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            code = None
        return code, out.decode(errors="replace"), err.decode(errors="replace")


def _last_line(text):
    return (text.strip().splitlines() or [""])[-1]


class Programs:
    """The cases, and the corpus. Those that take a reading as given are for conform, which skips them
    where another one is taken; all others run in one process, which takes no time."""

    def __init__(self, root):
        cases = sorted((root / "conformance/cases").rglob("*.cbs"))
        assuming = {path for path in cases if re.search(r"^reading ", path.read_text(), re.M)}
        self.plain = [str(path.relative_to(root)) for path in cases if path not in assuming]
        self.assuming = [str(path.relative_to(root)) for path in cases if path in assuming]
        self.corpus = ["corpus/seed", "corpus/regression"]


def try_one(laboratory, source, mutant, programs, seconds):
    """What became of a mutant: a dict with its `status`, what caught it, and how long that took."""
    begun = time.monotonic()
    plugin = laboratory.plugin(source, mutant)
    try:
        result = _notice(laboratory, plugin, programs, seconds)
    finally:
        plugin.unlink()
    return {**result, "seconds": round(time.monotonic() - begun, 2)}


def _notice(laboratory, plugin, programs, seconds):
    found = laboratory.run(plugin, programs.plain)
    for profile in PROFILES if programs.assuming and not found else ():
        found.update(laboratory.conform(plugin, profile, programs.assuming))
    if found:
        return {"status": "cases", "caught_by": found}
    found = laboratory.run(plugin, programs.corpus)
    if found:
        return {"status": "corpus", "caught_by": found}
    said = laboratory.threads(plugin)
    if said:
        return {"status": "threads", "said": said}
    for profile in PROFILES:
        finding = laboratory.fuzz(plugin, profile, seconds)
        if finding:
            return {"status": "fuzz", "finding": finding}
    return {"status": "survived"}
