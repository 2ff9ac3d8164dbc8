"""A TCP proxy on the loopback device that cuts connections after a number of bytes.

The first connections that come get a cut each; they are held until all of these are there, so that each belongs to
another worker of the sender. Whoever comes later is passed on untouched.
"""
import asyncio
import collections
import socket
import struct
import threading

UP, DOWN = 'up', 'down'    # from client to server, and back

# After so many bytes in one direction both sides are closed: with FIN, or with RST.
Cut = collections.namedtuple('Cut', 'direction offset reset')


class CuttingProxy:
    """Use it as a context manager; `port` is where it listens."""

    def __init__(self, target_port, cuts):
        self.target_port = target_port
        self.waiting = list(reversed(cuts))
        self.unreached = []    # cuts of connections that ended before
        self.port = None
        self.loop = asyncio.new_event_loop()
        self.all_there = asyncio.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.listening = threading.Event()
        self.tasks = set()

    def __enter__(self):
        self.thread.start()
        self.listening.wait()
        return self

    def __exit__(self, *unused):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, '127.0.0.1', 0, backlog=512))
        self.port = server.sockets[0].getsockname()[1]
        self.listening.set()
        self.loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.01))

    async def _serve(self, reader, writer):
        cut = self.waiting.pop() if self.waiting else None
        if cut is not None:
            if not self.waiting:
                self.all_there.set()
            await self.all_there.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection('127.0.0.1', self.target_port)
        except OSError:
            writer.close()
            return
        reached = []
        await asyncio.wait([asyncio.create_task(flow) for flow in (
            self._pass(reader, far_writer, cut if cut and cut.direction == UP else None, reached),
            self._pass(far_reader, writer, cut if cut and cut.direction == DOWN else None, reached))],
            return_when=asyncio.FIRST_COMPLETED if cut else asyncio.ALL_COMPLETED)
        if cut and not reached:
            self.unreached.append(cut)
        for side in (writer, far_writer):
            if reached and cut.reset:
                side.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                side.transport.abort()
            side.close()

    @staticmethod
    async def _pass(reader, writer, cut, reached):
        """One direction, until its end or its cut."""
        left = cut.offset if cut else None
        try:
            while left is None or left > 0:
                data = await reader.read(65536 if left is None else left)
                if not data:
                    writer.write_eof()
                    return
                left = None if left is None else left - len(data)
                writer.write(data)
                await writer.drain()
            reached.append(cut)
        except OSError:
            pass
