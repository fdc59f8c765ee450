"""Allocate and delete with aioice against the TURN server at 127.0.0.1 on the port given."""
import asyncio
import statistics
import sys
import time

try:
    from aioice.stun import TransactionFailed
    from aioice.turn import TurnClientUdpProtocol
except ImportError:
    print("aioice is not installed: pip install aioice, or name a python with PROBE_PEERS_PYTHON")
    sys.exit(0)

PORT = int(sys.argv[1])


def report(measure, value):
    print(f"{measure:<57} {value}")


async def once():
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: TurnClientUdpProtocol(("127.0.0.1", PORT), username="u", password="p", lifetime=600,
                                      channel_refresh_time=500),
        remote_addr=("127.0.0.1", PORT))
    await protocol.connect()
    allocated = time.perf_counter()
    await protocol.delete()
    return allocated - start, time.perf_counter() - start


refused = 0


async def many(count):
    """A source port whose last allocation coturn still remembers is refused with 437, which aioice does not follow."""
    global refused
    samples = []
    while len(samples) < count:
        try:
            samples.append(await once())
        except TransactionFailed:
            refused += 1
    return samples


async def main():
    start = time.perf_counter()
    samples = await many(300)
    elapsed = time.perf_counter() - start
    report("aioice: allocate, p50", f"{statistics.median(s[0] for s in samples) * 1000:.3f} ms")
    report("aioice: allocate and delete, sequential, p50", f"{statistics.median(s[1] for s in samples) * 1000:.3f} ms")
    report("aioice: allocate and delete, sequential", f"{len(samples) / elapsed:.0f} a second")
    start = time.perf_counter()
    await asyncio.gather(*(many(50) for _ in range(32)))
    report("aioice: allocate and delete, 32 in flight", f"{1600 / (time.perf_counter() - start):.0f} a second")
    report("aioice: attempts refused with 437", str(refused))


asyncio.run(main())
