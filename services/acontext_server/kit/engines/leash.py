"""Run a program that ends with its parent: `leash.py PARENT SIGNAL NICENESS USER PROGRAM …`.

A script of its own, since both steps must happen between fork and exec, where a process with
threads must not run Python. It imports nothing of ours, so it costs a few milliseconds only.
"""

import ctypes
import os
import pwd
import sys
import time

_PR_SET_PDEATHSIG = 1
_TRIES = 5


def main() -> None:
    """Stand back, become the user, tie the life to the parent's, become the program."""
    parent, death_signal, niceness, user, *command = sys.argv[1:]
    _stand_back(int(niceness))
    if user:
        _become(user)
    # Changing the user clears the death signal, so this comes second.
    _die_with(int(parent), int(death_signal))
    os.execv(command[0], command)


def _stand_back(niceness: int) -> None:
    if not niceness:
        return
    os.nice(niceness)
    # Where Linux shares the time among sessions first, processes of different ones never compare
    # their niceness; a session has one of its own (sched(7), autogroup). Without privileges one is
    # changed every tenth of a second; where none can be changed, the process's own is all there is.
    for _ in range(_TRIES):
        try:
            with open("/proc/self/autogroup", "w") as of_session:
                of_session.write(str(niceness))
        except BlockingIOError:
            time.sleep(0.1)
        except OSError:
            return
        else:
            return


def _become(user: str) -> None:
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def _die_with(parent: int, death_signal: int) -> None:
    if sys.platform != "linux":
        return  # Left-overs are reaped at the next start.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit("the parent is gone")


if __name__ == "__main__":
    main()
