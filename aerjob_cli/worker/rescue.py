"""What a dead or silent worker left behind: its processes are ended, its jobs go back to the queue. Nothing is run."""

from __future__ import annotations

from aerjob_cli.clock import boot_id
from aerjob_cli.processes import kill_exactly
from aerjob_cli.store import end_commands, releases, workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.flocks import Flock
from aerjob_cli.store.records import WorkerRecord
from aerjob_cli.worker import journal


def succeed(store: Store, worker: WorkerRecord, lock: Flock) -> bool:
    """Register a worker that holds the lock, and release all that workers before it held.

    Holding the lock is what makes this safe: whoever wrote those rows is dead, or has lost the lock and will find its
    writes refused. Return False, and change nothing, where another worker has replaced the lock meanwhile.
    """
    this_boot = boot_id()
    with store.reading() as tx:
        predecessors = workers.alive(tx)
    now_us = store.now_us()
    with store.writing() as tx:
        if not lock.is_still_named():
            # This one stood still before it was registered, so that another took it for the dead one before it.
            return False
        for predecessor in predecessors:
            workers.close(tx, predecessor.worker_id, end="lost", now_us=now_us)
        workers.register(tx, worker)
        # Before jobs that end here have commands of their own.
        lost_commands = end_commands.give_up_lost(tx, now_us=now_us)
        released = releases.release_lost(tx, new_worker_id=worker.worker_id, boot_id=this_boot, now_us=now_us)
    # After the write: where nothing can be written, nobody's work is ended. The fence keeps late results out.
    for predecessor in predecessors:
        if predecessor.boot_id == this_boot:
            for child in predecessor.children:
                kill_exactly(child.pid, child.started, whole_group=True)
    for item in released:
        journal.released(item)
    for job_id in lost_commands:
        journal.command_finished(job_id, end_commands.LOST)
    return True
