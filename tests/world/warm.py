"""`musd-bot` that starts at once: the tests start it two hundred times, and its imports would be most of their time.

A warm process for each process of tests has imported everything, and forks. `program("doctor")` is a command line that
has it fork a `musd-bot doctor`, hands on its input, outputs and signals, and dies when it dies and as it died; and the
other way round. What runs is the real program, in a process of its own; only its imports are older than it is.
"""

import argparse
import atexit
import functools
import gc
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

HERE = str(Path(__file__).resolve())
ROOT = str(Path(__file__).resolve().parents[2])
_IMPORTED = (
    "bot.__main__",
    "bot.wiring",
    "bot.drill.cli",
    "bot.terminal.doctor",
    "bot.terminal.pause",
    "handlers.commands",
)
_HANDED_ON = (signal.SIGTERM, signal.SIGINT)


def program(*arguments: str) -> list[str]:
    """The command line of `musd-bot` with these arguments, warm."""
    return _launcher(_warm(), *arguments)


def _launcher(path: str, *arguments: str) -> list[str]:
    # -S: it needs nothing but the standard library.
    return [sys.executable, "-S", HERE, path, *arguments]


@functools.cache
def _warm() -> str:
    """Where this process's warm one listens. It ends when this process does, however that ends."""
    folder = tempfile.TemporaryDirectory(prefix="warm-")
    path = f"{folder.name}/socket"
    process = subprocess.Popen([sys.executable, HERE, path], stdin=subprocess.PIPE, start_new_session=True)

    def end() -> None:
        process.kill()
        process.wait()
        folder.cleanup()

    atexit.register(end)
    return path


# --- the warm process ------------------------------------------------------------------------------------------------


def wait_for_somebody(path: str) -> None:
    """Import everything, then fork for whoever asks, until the tests are gone."""
    for module in _IMPORTED:
        import_module(module)
    gc.freeze()  # what is imported stays shared: no collection writes to it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen(64)
        while True:
            ready, _, _ = select.select([door, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            client, _ = door.accept()
            if os.fork() == 0:
                door.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _keep(client, path)
            client.close()


def _keep(client: socket.socket, path: str) -> None:
    """Fork for one launcher, and tie the two together."""
    message, files, _, _ = socket.recv_fds(client, 1 << 20, 3)
    child = os.fork()
    if child == 0:
        client.close()
        _be(json.loads(message), files, path)
    for file in files:
        os.close(file)
    ended = os.pidfd_open(child)
    while True:
        ready, _, _ = select.select([ended, client], [], [])
        if ended in ready:
            _, status = os.waitpid(child, 0)
            client.sendall(str(os.waitstatus_to_exitcode(status)).encode())
            os._exit(0)
        asked = client.recv(1)
        os.kill(child, asked[0] if asked else signal.SIGKILL)  # without a launcher, as if it were the launcher
        if not asked:
            os._exit(0)


def _be(start: dict[str, object], files: list[int], path: str) -> None:
    """Become the `musd-bot` that was asked for."""
    os.setsid()
    os.chdir(str(start["cwd"]))
    os.environ.clear()
    os.environ.update(dict(start["environment"]))  # type: ignore[call-overload]  # from JSON
    for ours, given in enumerate(files):
        os.dup2(given, ours)
        os.close(given)
    sys.stdin = open(0)  # noqa: SIM115 - the one that was handed over, not the warm process's
    random.seed()
    sys.argv = ["musd-bot", *list(start["arguments"])]  # type: ignore[call-overload]  # from JSON
    code = 1
    try:
        code = _main(path)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _main(path: str) -> int:
    from bot.__main__ import main  # noqa: PLC0415 - imported long ago
    from bot.drill import cli  # noqa: PLC0415 - the same

    if sys.argv[1] != "drill":
        return main()
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return cli.main(parser.parse_args(sys.argv[2:]), command=_launcher(path, "serve"))  # its bot is a warm one too


# --- the launcher ----------------------------------------------------------------------------------------------------


def launch(path: str, arguments: list[str]) -> int:
    """Have it forked, and end as it ends."""
    with socket.socket(socket.AF_UNIX) as door:
        while door.connect_ex(path) != 0:  # it is still importing
            select.select([], [], [], 0.05)
        start = {"cwd": str(Path.cwd()), "environment": dict(os.environ), "arguments": arguments}
        socket.send_fds(door, [json.dumps(start).encode()], [0, 1, 2])
        for one in _HANDED_ON:
            signal.signal(one, lambda number, _: door.sendall(bytes([number])))
        answer = door.recv(16)
    code = int(answer or -signal.SIGKILL)
    if code < 0:
        for one in _HANDED_ON:
            signal.signal(one, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.path[0] = ROOT  # as `python -m bot` has it
    if len(sys.argv) > 2:
        sys.exit(launch(sys.argv[1], sys.argv[2:]))
    wait_for_somebody(sys.argv[1])
