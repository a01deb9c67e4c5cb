"""What the scripts for Microsoft's Python libraries share: the lab's address and its control port.

The libraries are used as they are published. Two things of their surroundings are ours: they are
told the lab's host and authority by their own options, and when they sleep, the lab's clock moves
on instead of the wall clock. Where a library dates what it signs, it is told the lab's time.
"""

import asyncio
import contextlib
import datetime
import json
import os
import socket
import time

with open(os.environ["LAB"]) as file:
    LAB = json.load(file)
CA = os.environ["CA"]
USER = os.environ["AFFECTED"]
BASE = LAB["base"]
GRAPH = "https://graph.microsoft.com/.default"

#: How long the libraries wanted to wait, in seconds, in order.
SLEPT = []


def control(**order):
    """One operation of the lab's control port."""
    host, port = LAB["control"].rsplit(":", 1)
    with socket.create_connection((host, int(port))) as stream:
        stream.sendall((json.dumps(order) + "\n").encode())
        return json.loads(stream.makefile().readline())


def pass_time(seconds):
    SLEPT.append(seconds)
    control(op="advance", seconds=max(0, seconds))


@contextlib.contextmanager
def at_the_labs_time():
    """This machine's clock shows what the lab's shows: an assertion is dated by it."""
    wall = time.time
    at = datetime.datetime.fromisoformat(control(op="now")["now"]).timestamp()
    ahead = at - wall()
    time.time = lambda: wall() + ahead
    try:
        yield
    finally:
        time.time = wall


def use_the_labs_clock():
    """Waiting makes the lab's time pass, all of it and at once."""
    at_once = asyncio.sleep

    async def sleep(seconds, result=None):
        if seconds > 0:
            pass_time(seconds)
        return await at_once(0, result)

    asyncio.sleep = sleep
    time.sleep = pass_time


def approve(user_code):
    """The lab's operator enters a device code."""
    assert control(op="approve_device_code", user_code=user_code)["approved"] is True


def throttle(path, times, retry_after):
    control(
        op="inject",
        fault={"path": path, "times": times, "kind": {"throttle": {"retry_after": retry_after}}},
    )


def requests_to(part):
    """Method and status of every request so far whose path has `part`."""
    lines = [json.loads(line) for line in control(op="trace")["trace"].splitlines()]
    ours = [line for line in lines if line["actor"] == "responder" and part in line["path"]]
    return [(line["method"], line["status"]) for line in ours]


def forbid(permission, forbidden=True):
    answer = control(op="set_permission", permission=permission, granted=not forbidden)
    assert answer.get("changed") is True, answer


def done(what, fact):
    """One line for the test that called: what was done, and what came of it."""
    print(f"{what}: {fact}", flush=True)
