"""A `python` for tiny graphs: a stage is a fork of a process that has imported the libraries, which take seconds.

Only what comes from site-packages is imported beforehand; `stages` and `wsss_core` are the project's own, as with the
real `python -m stages.<name>`, which the tests of killed and refused stages and `make demo` run.
"""

import atexit
import json
import os
import runpy
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path

LIBRARIES = ("cv2", "numba", "pandas", "pyarrow.parquet", "safetensors.torch", "skimage.segmentation", "timm", "zarr")
CLIENT = """#!{python} -IS
import json, os, socket, struct, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
request = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [struct.pack("I", len(request))], [1, 2])
server.sendall(request)
sys.exit((server.recv(1) or b"\\x01")[0])
"""


@cache
def preloaded_python() -> Path:
    """A folder for the front of PATH whose `python` asks this process's server; it is started at the first call."""
    folder = Path(tempfile.mkdtemp(prefix="wsss-python-"))
    address = folder / "socket"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    server = subprocess.Popen([sys.executable, __file__, address], env=environment, stdout=subprocess.PIPE)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.kill)
    assert server.stdout and server.stdout.readline() == b"ready\n"
    client = folder / "python"
    client.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    client.chmod(0o755)
    return folder


def serve(address: str) -> None:
    for name in LIBRARIES:
        __import__(name)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a child: the client hears from it
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            client.sendall(bytes([answer(client)]))
            os._exit(0)
        client.close()


def answer(client: socket.socket) -> int:
    """Run the module that the client asks for as its child would; the exit code."""
    header, streams, _, _ = socket.recv_fds(client, 4, 2)
    with client.makefile("rb") as file:
        (_, module, *arguments), folder, environment = json.loads(file.read(*struct.unpack("I", header)))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for stream, number in zip(streams, (1, 2), strict=True):
        os.dup2(stream, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv, sys.path[0] = [module, *arguments], folder
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
