"""The bundled language model as a process of its own, serving chat completions on 127.0.0.1. Run by path.

Standard input: one line of JSON with the fields of `Order`, then nothing more; its end is ours, whatever became of
the parent. Standard output: one line of JSON, `{"url": ...}` when the model can answer or `{"error": ...}`. The key
comes this way because others can read a process's arguments. Nothing is logged: it could hold prompts.
"""

import ctypes
import json
import os
import signal
import sys
from typing import IO, Any, NamedTuple

PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>

SLOTS = 2  # replies written at the same time; more wait for their turn
SLOT_TOKENS = 2048  # prompt and answer together: 47 MB of memory a slot, a quarter of what the model was trained for
BATCH_TOKENS = 128  # under a second of work: how long a prompt may hold up the other slot, or a stop
IDLE_SECONDS = 300  # after that the model is unloaded, 240 MB become 60; loading it again takes half a second


class Order(NamedTuple):
    """What the parent hands over: the key callers must show, the weights, the folder to import the engine from."""

    api_key: str
    weights: str
    engine_folder: str
    model_name: str


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches the whole group: end at once, silently
    use_every_core()
    bind_to_parent()
    parent = private_output()
    line = sys.stdin.readline()
    if not line:
        return
    try:
        server = serve(Order(**json.loads(line)))
    except Exception as error:  # noqa: BLE001 - whatever it was, the parent says it to a person
        tell(parent, {"error": f"{type(error).__name__}: {error}"})
        return
    tell(parent, {"url": server.listening_address})
    sys.stdin.read()
    os._exit(0)  # without waiting for the engine's threads


def use_every_core() -> None:
    """The server stays on one processor; what it has us do is better done on another."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


def bind_to_parent() -> None:
    """Die with the thread that started us: a fork of the parent may hold the pipe open after its end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def private_output() -> IO[str]:
    """The pipe to the parent, out of reach of the engine, whose own output is thrown away."""
    parent = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.close(nothing)
    return parent


def tell(parent: IO[str], answer: dict[str, str]) -> None:
    parent.write(json.dumps(answer) + "\n")
    parent.flush()


def serve(order: Order) -> Any:
    """Load the model and answer requests in threads of the engine. Raises whatever keeps it from that."""
    sys.path.append(order.engine_folder)
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = order.weights
    params.model_alias = {order.model_name}
    settle_server(params, order.api_key)
    settle_memory(params)
    settle_sampling(params.sampling)
    return xllamacpp.Server(params)


def settle_server(params: Any, api_key: str) -> None:
    """This machine only, at a port the system chooses, with the key, without pages for people or for debugging."""
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [api_key]
    params.cors_origins = ""
    params.ui = False
    params.endpoint_slots = False  # would show the prompts


def settle_memory(params: Any) -> None:
    """About 240 MB and one processor, so that the pages stay quick beside it."""
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * SLOT_TOKENS
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_gpu_layers = 0
    params.cache_ram_mib = 0  # its default would keep up to 8 GiB of old prompts
    params.sleep_idle_seconds = IDLE_SECONDS


def settle_sampling(sampling: Any) -> None:
    """The model card's temperature and nucleus; without the penalty, half of the longer answers never end."""
    sampling.temp = 0.2
    sampling.top_p = 0.9
    sampling.penalty_repeat = 1.1


if __name__ == "__main__":
    main()
