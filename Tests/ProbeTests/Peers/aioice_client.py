"""Makes an allocation with aioice on the TURN server at 127.0.0.1 and prints what it learnt as one line of JSON.

With --peer it waits for a line of standard input, binds a channel to the peer, greets it, and echoes what the peer sends
until standard input is closed. A refusal is a line of its own.
"""
import argparse
import asyncio
import json
import ssl
import sys

from aioice import stun
from aioice.turn import UDP_TRANSPORT, TurnClientTcpProtocol, TurnClientUdpProtocol


class Echo:
    def __init__(self, client):
        self.client = client

    def datagram_received(self, data, address):
        asyncio.ensure_future(self.client.send_data(b"aioice: " + data, address))

    def connection_lost(self, error):
        pass


async def connect(arguments):
    server = ("127.0.0.1", arguments.port)

    def client(kind):
        return kind(server, username=arguments.username, password=arguments.password, lifetime=600,
                    channel_refresh_time=500)

    loop = asyncio.get_running_loop()
    if arguments.transport == "udp":
        return (await loop.create_datagram_endpoint(lambda: client(TurnClientUdpProtocol), remote_addr=server))[1]
    security = ssl.create_default_context(cafile=arguments.trust) if arguments.transport == "tls" else None
    return (await loop.create_connection(lambda: client(TurnClientTcpProtocol), *server, ssl=security))[1]


async def allocate(client):
    request = stun.Message(message_method=stun.Method.ALLOCATE, message_class=stun.Class.REQUEST)
    request.attributes["LIFETIME"] = client.lifetime
    request.attributes["REQUESTED-TRANSPORT"] = UDP_TRANSPORT
    return (await client.request_with_retry(request))[0].attributes


async def main(arguments):
    client = await connect(arguments)
    try:
        granted = await allocate(client)
        print(json.dumps({
            "relayedAddress": granted["XOR-RELAYED-ADDRESS"],
            "reflexiveAddress": granted["XOR-MAPPED-ADDRESS"],
            "localAddress": client.transport.get_extra_info("sockname"),
            "lifetime": granted["LIFETIME"],
            "realm": client.realm,
            "software": granted["SOFTWARE"],
        }), flush=True)
        if arguments.peer:
            await echo(client, arguments.peer)
    except stun.TransactionFailed as failure:
        print(json.dumps({"error": failure.response.attributes["ERROR-CODE"][0]}))
    await client.delete()


async def echo(client, peer):
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.readline)
    host, port = peer.rsplit(":", 1)
    client.receiver = Echo(client)
    await client.send_data(b"aioice", (host, int(port)))
    await loop.run_in_executor(None, sys.stdin.read)
    client.receiver = None


parser = argparse.ArgumentParser()
parser.add_argument("transport", choices=["udp", "tcp", "tls"])
parser.add_argument("port", type=int)
parser.add_argument("username")
parser.add_argument("password")
parser.add_argument("--trust", metavar="CA.PEM")
parser.add_argument("--peer", metavar="HOST:PORT")
asyncio.run(main(parser.parse_args()))
