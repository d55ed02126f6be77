"""The program `aerjob`, also as ``python -m aerjob_cli``."""

from __future__ import annotations

try:
    import gc
    import signal
    import sys

    # Until there is something to be lost, Ctrl-C just ends the program. Python would show where it was.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
except KeyboardInterrupt:
    raise SystemExit(130) from None


# What is imported stays; to look through it again and again, as by default, is a twentieth of a light command's time.
_OBJECTS_BEFORE_A_COLLECTION = 100_000


def main() -> None:
    """Do what the command line says and end this process with its exit code."""
    gc.set_threshold(_OBJECTS_BEFORE_A_COLLECTION)
    if sys.argv[1:2] == ["__complete"]:
        # Nobody types this: the completion of a shell asks, at every press of the key.
        from aerjob_cli.cli.completion import answer

        answer(sys.argv[2:])
        return
    from aerjob_cli.cli.boundary import run

    exit_code = run(sys.argv[1:])
    # Python's end would look through every object once more, and whatever it finds is given back to the system anyway.
    gc.freeze()
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
