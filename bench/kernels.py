"""The walls on real kernels of other distributions, under an emulator: what stands, what the example class gets, what attacks get through.

    make kernels                                        the kernel that this machine's apt-get installs
    python -m bench.kernels linux-image-*.deb ...       these; Ubuntu's needs its linux-modules-*.deb too

Each boots in qemu with this machine's own file system, read-only, so Python and the packages are those that are installed here. It needs
qemu-system-x86, busybox-static, cpio, and zstd for Ubuntu's modules. The processor is emulated, so a kernel takes a quarter of an hour;
its clock counts instructions, so limits of time mean the same whatever else this machine does.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import yaml

ROOT = Path(__file__).resolve().parents[1]
SLOWER = 4  # times as much time for each attack: an emulated instruction takes a nanosecond
MODULES = ("virtio_pci", "9pnet_virtio", "9p")  # what an image needs to see this machine's files, unless its kernel has it built in
MARK, NOT_TRIED = "RESULT OF THE KERNEL: ", "not tried"
QEMU = """
    qemu-system-x86_64 -accel tcg -icount shift=0 -cpu max -smp 1 -m 4096 -nographic -no-reboot -nic none
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap
""".split()
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /root
/bin/busybox mount -t proc proc /proc
for module in $(/bin/busybox cat /modules/order); do /bin/busybox insmod /modules/$module; done
/bin/busybox mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /root
/bin/busybox mount -t proc proc /root/proc
/bin/busybox mount -t sysfs sys /root/sys
/bin/busybox mount -t devtmpfs dev /root/dev
/bin/busybox mkdir -p /root/dev/shm
for place in tmp run var/tmp dev/shm; do /bin/busybox mount -t tmpfs tmpfs /root/$place; done
/bin/busybox ifconfig lo up
exec /bin/busybox switch_root /root /bin/sh -c 'cd {root}; exec > /dev/console 2>&1
export PATH={path} HOME=/tmp XDG_CACHE_HOME=/tmp/cache LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
{command}; echo o > /proc/sysrq-trigger; sleep 60'
"""


@click.command(help=__doc__)
@click.argument("packages", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--part", "parts", type=click.Choice(["walls", "attacks", "class"]), multiple=True, help="Try only this; may be repeated.")
@click.option("--inside", is_flag=True, hidden=True)
def main(packages: tuple[Path, ...], parts: tuple[str, ...], inside: bool) -> None:
    """Boot each kernel and print a row for each; exit with status 1 if something does not stand on one of them."""
    chosen = parts or tuple(PARTS)
    if inside:
        for part in chosen:
            print(MARK + json.dumps(PARTS[part]()), flush=True)
        return
    results = []
    with tempfile.TemporaryDirectory(prefix="kernels-") as place:
        for kernel in unpacked(packages or downloaded(Path(place)), Path(place)):
            results.append((kernel.name.removeprefix("vmlinuz-"), boot(kernel, Path(place), chosen)))
    print("| kernel | walls | properties | example class | attacks through | minutes |\n| --- | --- | ---: | --- | ---: | ---: |")
    for name, result in results:
        print(f"| {name} | {row(result)} |")
    sys.exit(any(NOT_TRIED in row(result) or result["faults"] or result["through"] or result["wrong"] for _, result in results))


def row(result: dict[str, Any]) -> str:
    """Return what is told of a kernel: of each part that it came to."""
    walls = held = grades = through = NOT_TRIED
    if "walls" in result:
        walls = ", ".join(result["walls"])
        held = f"{len(result['properties']) - len(result['faults'])} of {len(result['properties'])}"
    if "graded" in result:
        grades = f"{result['graded']} graded, {'other points: ' if result['wrong'] else 'the right points'}{', '.join(result['wrong'])}"
    if "attacks" in result:
        through = f"{len(result['through'])} of {result['attacks']} ({result['tried']} told that they tried)"
    return f"{walls} | {held} | {grades} | {through} | {result['minutes']:.0f}"


# ---- on this machine


def downloaded(place: Path) -> tuple[Path, ...]:
    """Download the package of the kernel that apt-get installs."""
    told = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=True).stdout
    name = re.findall(r"Depends: (linux-image-\S+)", told)[0]
    subprocess.run(["apt-get", "download", name], cwd=place, check=True)
    return tuple(place.glob("*.deb"))


def unpacked(packages: Iterable[Path], place: Path) -> list[Path]:
    """Unpack the packages; return the kernels."""
    for package in packages:
        subprocess.run(["dpkg-deb", "-x", str(package), str(place / "unpacked")], check=True)
    return sorted((place / "unpacked" / "boot").glob("vmlinuz-*"))


def boot(kernel: Path, place: Path, parts: tuple[str, ...]) -> dict[str, Any]:
    """Boot a kernel, show what it prints, and return what it found, as far as it came."""
    image = initramfs(kernel.parents[1], kernel.name.removeprefix("vmlinuz-"), place, parts)
    command = [*QEMU, "-kernel", str(kernel), "-initrd", str(image), "-append", "console=ttyS0 earlyprintk=serial panic=-1"]
    began = time.monotonic()
    result: dict[str, Any] = {}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace") as machine:
        assert machine.stdout
        for line in machine.stdout:
            before, mark, found = line.partition(MARK)
            if mark:
                result |= json.loads(found)
            else:
                print(f"{kernel.name}: {before.rstrip()}", file=sys.stderr)
    return result | {"minutes": (time.monotonic() - began) / 60}


def initramfs(system: Path, release: str, place: Path, parts: tuple[str, ...]) -> Path:
    """Write the first file system of a kernel: busybox, the modules that it needs, and what to do."""
    folder, image = place / release, place / f"{release}.cpio"
    (folder / "bin").mkdir(parents=True)
    (folder / "modules").mkdir()
    shutil.copy(shutil.which("busybox") or "/bin/busybox", folder / "bin" / "busybox")
    order = dict(modules(next(system.glob(f"**/lib/modules/{release}")), MODULES))
    for name, content in order.items():
        (folder / "modules" / name).write_bytes(content)
    (folder / "modules" / "order").write_text(" ".join(order))
    command = [sys.executable, "-m", "bench.kernels", "--inside", *(word for part in parts for word in ("--part", part))]
    (folder / "init").write_text(INIT.format(root=ROOT, path=os.environ["PATH"], command=shlex.join(command)))
    (folder / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(folder)) for path in sorted(folder.rglob("*")))
    with image.open("wb") as file:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), stdout=file, cwd=folder, check=True)
    return image


def modules(folder: Path, wanted: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the modules that are wanted, each after those that it needs; one that is built in has no file."""
    files = {path.name.partition(".")[0].replace("-", "_"): path for path in folder.rglob("*.ko*")}
    for name in wanted:
        if name in files:
            unpack = ["zstd", "-dc"] if files[name].suffix == ".zst" else ["cat"]
            content = subprocess.run([*unpack, files[name]], capture_output=True, check=True).stdout
            needed = re.search(rb"\0depends=([^\0]*)\0", content)
            yield from modules(folder, needed[1].decode().replace("-", "_").split(",") if needed else ())
            yield name, content


# ---- on the other kernel


def walls() -> dict[str, Any]:
    """Try what the walls hold; name what does not stand."""
    told = json.loads(course("doctor", "--json"))
    names = [f"{wall} {told['landlock']['version']}" if wall == "landlock" else wall for wall in told["walls"]]
    faults = [kept["name"] for kept in told["properties"] if kept["got_through"] or not kept["held_by"] or not kept["tried"]]
    return {"walls": names, "properties": [kept["name"] for kept in told["properties"]], "faults": faults}


def course(*words: str) -> str:
    """Run the command, show what it prints, and return it."""
    done = subprocess.run([sys.executable, "-m", "autograder", *words], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    print(done.stdout, flush=True)
    return done.stdout


def example_class() -> dict[str, Any]:
    """Grade `forward` of the example class, and name those who did not get their points."""
    with tempfile.TemporaryDirectory() as out:
        course("grade", "examples/class", "--out", out, "--exercise", "forward", "--seed", "12", "--json")
        lines = (Path(out) / "results.jsonl").read_text(encoding="utf-8").splitlines()
    results = {result["student"]: result for result in map(json.loads, lines)}
    expected = yaml.safe_load((ROOT / "examples" / "class" / "expected.yaml").read_text(encoding="utf-8"))
    wrong = [name for name, known in expected.items() if results[name]["score"] != known["forward"].get("score", 0)]
    return {"graded": len(results), "wrong": wrong}


def attacks() -> dict[str, Any]:
    """Run every attack; count those that lived to say that they tried, and name those that got through."""
    from tests.hostile import arena, test_old_kernels

    arena.LIMITS.update({name: SLOWER * most for name, most in arena.LIMITS.items() if name.endswith("seconds")})
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(ROOT):
        report = test_old_kernels.run(Path(folder))
    printed = {name: text for name, text in report["printed"].items() if "BREACH" in text}
    print(json.dumps({**report, "printed": printed}), flush=True)
    tried = sum("TRIED" in text for text in report["printed"].values())
    return {"attacks": len(report["printed"]), "tried": tried, "through": [*printed, *report["left"], *report["harm"]]}


PARTS = {"walls": walls, "attacks": attacks, "class": example_class}

if __name__ == "__main__":
    main(prog_name="python -m bench.kernels")
