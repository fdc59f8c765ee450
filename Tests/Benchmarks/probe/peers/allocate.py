"""Makes and deletes COUNT allocations with aioice, IN_FLIGHT of them at a time, on the TURN server at 127.0.0.1:PORT.

For each it prints the nanoseconds from the socket to the grant, and to the closed socket; at the end all of the time
and how many attempts were refused.
"""
import asyncio
import sys
import time

from aioice.stun import TransactionFailed
from aioice.turn import TurnClientUdpProtocol

PORT, COUNT, IN_FLIGHT = map(int, sys.argv[1:])
samples = []
refused = 0


async def once():
    loop = asyncio.get_running_loop()
    start = time.perf_counter_ns()
    _, protocol = await loop.create_datagram_endpoint(
        lambda: TurnClientUdpProtocol(("127.0.0.1", PORT), username="u", password="p", lifetime=600,
                                      channel_refresh_time=500),
        remote_addr=("127.0.0.1", PORT))
    await protocol.connect()
    allocated = time.perf_counter_ns()
    await protocol.delete()
    return allocated - start, time.perf_counter_ns() - start


async def several(count):
    """A source port whose last allocation the server still remembers is refused with 437, which aioice leaves to us."""
    global refused
    done = 0
    while done < count:
        try:
            samples.append(await once())
            done += 1
        except TransactionFailed:
            refused += 1
            if refused > COUNT:
                raise


async def main():
    start = time.perf_counter_ns()
    await asyncio.gather(*(several(COUNT // IN_FLIGHT) for _ in range(IN_FLIGHT)))
    elapsed = time.perf_counter_ns() - start
    for allocate, whole in samples:
        print(allocate, whole)
    print("total", elapsed, refused)


asyncio.run(main())
