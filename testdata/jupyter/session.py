"""Interrupts, restarts and ends kernels, and prints what happens."""
import os
import queue
import subprocess
import sys
import tempfile
import time

from jupyter_client.manager import start_new_kernel

CREATE = "CREATE MODEL chest FROM 'models/chest.onnx';"
# Longer than any test: 50 thousand full inferences.
LONG = "OCCLUDE 'images/clear.png' USING chest STRIDE 1 WITH (plan = full);"


def status(client, code):
    """Runs a cell and tells how it ended."""
    return client.execute_interactive(code, timeout=60, output_hook=lambda m: None)["content"]["status"]


def begin(client, code, sign="update_display_data"):
    """Sends a cell and waits until its bar is seen, or what else is a sign of it."""
    cell = client.execute(code)
    while sign not in str(client.get_iopub_msg(timeout=60)):
        pass
    return cell


def outputs(client, cell):
    """What a cell shows from now on, as pairs of kind and content."""
    seen = []
    while not seen or seen[-1] != ("status", {"execution_state": "idle"}):
        message = client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") == cell:
            seen.append((message["msg_type"], message["content"]))
    return seen


def texts(client, code):
    """Runs a cell and gives what it says in plain text."""
    said = []

    def hear(message):
        content = message["content"]
        said.append(content.get("text") or content.get("data", {}).get("text/plain") or "")

    assert client.execute_interactive(code, timeout=60, output_hook=hear)["content"]["status"] == "ok"
    return "".join(said)


def cells(client):
    """The cells that the history has, of this session and those before it."""
    return [entry[2] for entry in client.history(hist_access_type="tail", n=1000, reply=True, timeout=60)["content"]["history"]]


def gone(pid):
    """Waits until a process has ended."""
    for _ in range(600):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def session():
    manager, client = start_new_kernel(kernel_name="occlude")
    assert status(client, CREATE) == "ok"
    # The map is seen while it grows; of what is interrupted that is kept which is known.
    grows = begin(client, LONG, "data:image/jpeg")
    queued = client.execute("SHOW threads;")
    time.sleep(0.2)  # it goes another way than the interrupt
    manager.interrupt_kernel()
    replies = [client.get_shell_msg(timeout=60) for _ in range(2)]
    kinds = [kind for kind, content in outputs(client, grows) if "image/png" in content.get("data", {}) or kind in ("clear_output", "stream", "error")]
    assert kinds == ["clear_output", "display_data", "stream", "error"], kinds
    assert replies[0]["content"]["ename"] == "Interrupted", replies
    assert replies[1]["content"]["status"] == "aborted" and replies[1]["parent_header"]["msg_id"] == queued, replies
    assert status(client, "DESCRIBE MODEL chest;") == "ok", "the session is lost with an interrupt"
    begin(client, LONG)
    manager.restart_kernel(now=False)
    client.wait_for_ready(timeout=60)
    while True:  # the reply to what was running may have come
        try:
            client.get_shell_msg(timeout=0.2)
        except queue.Empty:
            break
    assert status(client, "DESCRIBE MODEL chest;") == "error", "the model has survived a restart"
    assert status(client, CREATE) == "ok"
    begin(client, LONG)
    pid = manager.provisioner.pid
    client.stop_channels()
    manager.shutdown_kernel()
    assert gone(pid), "the kernel has survived its shutdown"


def together():
    """Two notebooks and the command line at the same time, in one data folder."""
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, OCCLUDE_DATA=folder, OCCLUDE_RC=os.path.join(folder, "rc.oql"))
        with open(env["OCCLUDE_RC"], "w") as file:
            file.write(CREATE + "SHOW wibble; SET threads = 1;")
        books = [start_new_kernel(kernel_name="occlude", env=env) for _ in range(2)]
        clients = [client for _, client in books]
        for client in clients:  # what is wrong in the rc file is told once, and the rest of it runs
            said = texts(client, "SHOW MODELS; SHOW threads;")
            assert "rc.oql:1:50: error: there is no setting" in said and "chest" in said and " 1 " in said, said
            assert "error" not in texts(client, "SHOW threads;")
        into = "OCCLUDE 'images/%s*.png' USING chest STRIDE 32 INTO TABLE slices;"
        for client, image in zip(clients, "nc"):
            client.execute(into % image)
        subprocess.run([env["OCCLUDE"], "-c", CREATE + into % "s"], env=env, check=True, capture_output=True)
        for client in clients:
            assert client.get_shell_msg(timeout=60)["content"]["status"] == "ok"
        counts = [texts(client, "SELECT count(DISTINCT image) AS images FROM slices;") for client in clients]
        assert counts[0] == counts[1] and " 7 " in counts[0], counts
        for manager, client in books:
            client.stop_channels()
            manager.shutdown_kernel()
        # A later session has the cells of both.
        manager, client = start_new_kernel(kernel_name="occlude", env=env)
        assert {into % "n", into % "c"} <= set(cells(client)), cells(client)
        assert status(client, "SHOW device;") == "ok" and cells(client)[-1] == "SHOW device;"
        client.stop_channels()
        manager.shutdown_kernel()


def cycle():
    """Starts a kernel and stops it."""
    manager, client = start_new_kernel(kernel_name="occlude")
    pid = manager.provisioner.pid
    client.stop_channels()
    manager.shutdown_kernel()
    return pid


def cycles(n):
    # One after another: Jupyter finds free ports, and lets go of them before the kernel
    # takes them, so that managers in several processes would now and then choose the same.
    pids = [cycle() for _ in range(n)]
    assert len(set(pids)) == n and all(map(gone, pids)), "kernels are left"


def orphan():
    """Starts a kernel, busy with a cell, tells its number, and waits to be killed."""
    manager, client = start_new_kernel(kernel_name="occlude")
    assert status(client, CREATE) == "ok"
    begin(client, LONG)
    print(manager.provisioner.pid, flush=True)
    time.sleep(600)


if __name__ == "__main__":
    {"session": session, "together": together, "orphan": orphan, "cycles": lambda: cycles(int(sys.argv[2]))}[sys.argv[1]]()
