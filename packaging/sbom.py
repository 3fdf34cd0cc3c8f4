"""Writes the bill of materials of a release: the crates that are linked into the library and into the launcher, what each
needs of the others, and the published files with their sums. scripts/sbom runs it; the same files give the same bytes."""

import datetime
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import uuid
import zipfile

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

LIBRARY, LAUNCHER = "libanchor", "anchored"
LICENCE = "MIT OR Apache-2.0"
# What an ELF and a Mach-O file begin with; the npm package's `anchored` is a script.
BINARIES = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
COMPILER = re.compile(rb"rustc version (\d[\w.-]*)")


def targets(names):
    """The Rust targets of a release's archives."""
    for name in names:
        for platform in re.findall(r"-(linux|macos)-(\w+)\.tar\.gz$", name):
            if platform[0] == "linux":
                yield platform[1] + "-unknown-linux-gnu"
            else:
                yield from ("aarch64-apple-darwin", "x86_64-apple-darwin")


def cargo(top, *words):
    done = subprocess.run(["cargo", *words], cwd=top, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"sbom: cargo {words[0]}: failed")
    return done.stdout.decode()


def linked(top, target):
    """What is linked for a target: each crate's name and version, and what it needs."""
    # REJECTED: the graph of `cargo metadata`: there tests have a say in what is needed. And crates that only run while
    # others are built (macros, build scripts) are in no file.
    edges = ("--edges", "normal,no-proc-macro", "--no-dedupe", "--prefix", "depth", "--format", "{p}")
    needs = {}
    for name in (LIBRARY, LAUNCHER):
        words = ("tree", "--locked", "--no-default-features", "--target", target, "--package", name, *edges)
        above = []
        for line in cargo(top, *words).splitlines():
            depth, crate, version = re.match(r"(\d+)(\S+) v(\S+)", line).groups()
            above[int(depth) :] = [(crate, version)]
            needs.setdefault(above[-1], set())
            if len(above) > 1:
                needs[above[-2]].add(above[-1])
    return needs


def checksums(top):
    """Of each crate, what Cargo.lock says that it must have."""
    with open(os.path.join(top, "Cargo.lock"), encoding="utf-8") as lock:
        found = (dict(re.findall(r'^(\w+) = "(.*)"$', part, re.M)) for part in lock.read().split("[[package]]"))
        return {(part["name"], part["version"]): part["checksum"] for part in found if "checksum" in part}


def licences(words):
    # Before there were expressions, a slash meant OR.
    return [LicenseFactory().make_from_string(words.replace("/", " OR "))] if words else []


def sha256(value):
    return [HashType(alg=HashAlgorithm.SHA_256, content=value)]


def crate(package, sums):
    name, version = package["name"], package["version"]
    published = package["source"] is not None
    return Component(
        type=ComponentType.APPLICATION if name == LAUNCHER else ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=f"{name}@{version}",
        description=package["description"],
        licenses=licences(package["license"]),
        hashes=sha256(sums[name, version]) if published else [],
        # Ours are on no index: who has one of these names there is somebody else.
        purl=PackageURL("cargo", None, name, version) if published else None,
    )


def members(name, data):
    """The files in an archive or a package."""
    if name.endswith(".whl"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from ((member, archive.read(member)) for member in archive.namelist())
        return
    if name.endswith(".deb"):  # ar(5): a line of 60 bytes, then a file, and all begin at an even byte
        at = 8
        while not data[at:].startswith(b"data.tar"):
            at += 60 + (int(data[at + 48 : at + 58]) + 1) // 2 * 2
        data = data[at + 60 : at + 60 + int(data[at + 48 : at + 58])]
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            if member.isfile():
                yield member.name, archive.extractfile(member).read()


def artefact(path):
    """A published file, with the libraries and launchers in it, the compilers that they name, and what they are."""
    name = os.path.basename(path)
    with open(path, "rb") as file:
        data = file.read()
    inside, compilers, kinds = [], set(), set()
    try:
        found = list(members(name, data))
    except (ValueError, tarfile.TarError, zipfile.BadZipFile) as error:
        sys.exit(f"sbom: {path}: cannot be read: {str(error).splitlines()[0]}")
    for member, contents in found:
        kind = os.path.basename(member).split(".")[0]
        if kind in (LIBRARY, LAUNCHER) and contents.startswith(BINARIES):
            kinds.add(kind)
            compilers |= {found.decode() for found in COMPILER.findall(contents)}
            digest = sha256(hashlib.sha256(contents).hexdigest())
            inside.append(Component(type=ComponentType.FILE, name=member, bom_ref=f"{name}#{member}", hashes=digest))
    digest = sha256(hashlib.sha256(data).hexdigest())
    return Component(type=ComponentType.FILE, name=name, bom_ref=name, hashes=digest, components=inside), compilers, kinds


def bill(top, version, paths):
    bom = Bom()
    bom.metadata.timestamp = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    bom.metadata.lifecycles.add(PredefinedLifecycle(LifecyclePhase.BUILD))
    bom.metadata.component = Component(
        type=ComponentType.APPLICATION,
        name="libanchor",
        version=version,
        bom_ref="release",
        description="The library and its launcher, as they are published",
        licenses=licences(LICENCE),
    )
    graphs = {target: linked(top, target) for target in sorted(set(targets(map(os.path.basename, paths))))}
    platforms = (f"--filter-platform={target}" for target in graphs)
    known = json.loads(cargo(top, "metadata", "--locked", "--format-version=1", *platforms))["packages"]
    packages, sums = {(package["name"], package["version"]): package for package in known}, checksums(top)
    crates = {key: crate(packages[key], sums) for key in set().union(*graphs.values())}
    for target, needs in graphs.items():
        for key, needed in needs.items():
            crates[key].properties.add(Property(name="libanchor:target", value=target))
            bom.register_dependency(crates[key], [crates[need] for need in needed])
    bom.components.update(crates.values())
    ours = {component.name: component for component in crates.values() if component.purl is None}
    bom.register_dependency(bom.metadata.component, [ours[LIBRARY], ours[LAUNCHER]])

    for file, compilers, kinds in map(artefact, paths):
        bom.components.add(file)
        bom.register_dependency(file, [ours[kind] for kind in kinds])
        for compiler in compilers:
            # `core` in the library, `std` in the launcher. macOS's files do not say of which compiler.
            standard = Component(
                type=ComponentType.LIBRARY,
                name="rust-std",
                version=compiler,
                bom_ref=f"rust-std@{compiler}",
                description="Rust's standard library, of the compiler that the files name",
                licenses=licences(LICENCE),
            )
            bom.components.add(standard)
            bom.register_dependency(file, [standard])
    return bom


def main(top, version, out, paths):
    bom = bill(top, version, paths)
    # Its number is its contents'.
    bom.serial_number = uuid.UUID(int=0)
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, JsonV1Dot6(bom).output_as_string())
    with open(out, "w", encoding="utf-8") as file:
        file.write(JsonV1Dot6(bom).output_as_string(indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
