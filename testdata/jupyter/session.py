"""Interrupts, restarts and ends kernels, and prints what happens."""
import os
import queue
import sys
import time

from jupyter_client.manager import start_new_kernel

CREATE = "CREATE MODEL chest FROM 'models/chest.onnx';"
# Longer than any test: 50 thousand full inferences.
LONG = "OCCLUDE 'images/clear.png' USING chest STRIDE 1 WITH (plan = full);"


def status(client, code):
    """Runs a cell and tells how it ended."""
    return client.execute_interactive(code, timeout=60, output_hook=lambda m: None)["content"]["status"]


def begin(client, code):
    """Sends a cell and waits until its bar is seen."""
    client.execute(code)
    while client.get_iopub_msg(timeout=60)["msg_type"] != "update_display_data":
        pass


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
    begin(client, LONG)
    queued = client.execute("SHOW threads;")
    time.sleep(0.2)  # it goes another way than the interrupt
    manager.interrupt_kernel()
    replies = [client.get_shell_msg(timeout=60) for _ in range(2)]
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


def cycles(n):
    pids = []
    for _ in range(n):
        manager, client = start_new_kernel(kernel_name="occlude")
        pids.append(manager.provisioner.pid)
        client.stop_channels()
        manager.shutdown_kernel()
    assert all(map(gone, pids)), "kernels are left"


def orphan():
    """Starts a kernel, busy with a cell, tells its number, and waits to be killed."""
    manager, client = start_new_kernel(kernel_name="occlude")
    assert status(client, CREATE) == "ok"
    begin(client, LONG)
    print(manager.provisioner.pid, flush=True)
    time.sleep(600)


if __name__ == "__main__":
    {"session": session, "orphan": orphan, "cycles": lambda: cycles(int(sys.argv[2]))}[sys.argv[1]]()
