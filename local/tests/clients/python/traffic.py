"""Clients who pay in until the server is gone: address, access token, the account. Says how often they
were told that it was done."""

import asyncio
import sys
import uuid

import grpc

from bank import Bank

address, token, account = sys.argv[1:]
# What is called is known; whoever calls does not wait for anybody.
_, request = Bank(address).method("Deposit")
message = request(account_id=int(account), amount=1).SerializeToString()


async def pay_in(deposit):
    """Pays in until that fails; how often it did not."""
    done = 0
    while True:
        key = ("idempotency-key", str(uuid.uuid4()))
        try:
            await deposit(message, metadata=[("authorization", f"Bearer {token}"), key], timeout=30)
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise SystemExit(f"after {done}: {error}") from None
            return done
        done += 1


async def main():
    own = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(address, own) for _ in range(5)]
    deposits = [it.unary_unary("/simplebank.v1.SimpleBank/Deposit") for it in channels]
    done = await asyncio.gather(*(pay_in(deposit) for deposit in deposits for _ in range(4)))
    print(sum(done))


asyncio.run(main())
