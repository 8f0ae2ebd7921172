"""Clients who do not wait for an answer, at a bank in which an account is locked by somebody else: address,
access token, the account, another account, and two keys. They are told so, and the bank works on."""

import sys

import grpc

from bank import Bank, Refusal, same

address, token, locked, free, first_key, second_key = sys.argv[1:]
bank = Bank(address)
bank.token = token

try:
    bank.call("Deposit", key=first_key, timeout=0.3, account_id=int(locked), amount=5)
    raise SystemExit("the deposit did not wait for the lock")
except Refusal as refusal:
    same(refusal.code, grpc.StatusCode.DEADLINE_EXCEEDED)

call = bank.begin("Deposit", key=second_key, account_id=int(locked), amount=7)
# Another call on the same connection has come and gone by then.
same(bank.reply("GetAccount", id=int(free)).account.balance, 0)
same(call.cancel(), True, "the call had ended")
same(call.code(), grpc.StatusCode.CANCELLED)

# Whole crowds who leave at once.
crowd = [bank.begin("GetAccount", id=int(free)) for _ in range(100)]
for call in crowd:
    call.cancel()
for call in crowd:
    same(call.code() in [grpc.StatusCode.CANCELLED, grpc.StatusCode.OK], True, str(call.code()))
for _ in range(20):
    same(bank.reply("GetAccount", id=int(free)).account.id, int(free))
same(bank.health("simplebank.v1.SimpleBank"), 1)
