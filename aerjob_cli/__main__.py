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


def main() -> None:
    """Do what the command line says and end this process with its exit code."""
    if sys.argv[1:2] == ["__complete"]:
        # Nobody types this: the completion of a shell asks, at every press of the key.
        from aerjob_cli.cli.completion import answer

        answer(sys.argv[2:])
        return
    from aerjob_cli.cli.boundary import run

    exit_code = run(sys.argv[1:])
    # Python's end would look through every object of SQLAlchemy once more: a sixth of a light command's time.
    gc.freeze()
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
