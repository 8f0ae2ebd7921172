"""Two customers' life by the client that `make clients` generates from the published document.

    python scenario.py CLIENT_FOLDER URL NAME NAME PASSWORD
"""

import re
import sys
import time
import uuid

folder, url, alice, bob, password = sys.argv[1:]
sys.path.insert(0, folder)

from simple_bank_client import AuthenticatedClient, Client  # noqa: E402
from simple_bank_client.api.accounts import deposit, list_entries, open_account  # noqa: E402
from simple_bank_client.api.e_mail import verify_email  # noqa: E402
from simple_bank_client.api.sessions import log_in  # noqa: E402
from simple_bank_client.api.transfers import create_transfer  # noqa: E402
from simple_bank_client.api.users import create_user  # noqa: E402
from simple_bank_client.models import (  # noqa: E402
    Account, CreateUserRequest, Currency, DepositRequest, Entries, EntryKind, LogInRequest, OpenAccountRequest, Problem,
    Transferred, TransferRequest, VerifyEmailRequest)

# A status that the document has not is an error here.
anybody = Client(base_url=url, raise_on_unexpected_status=True, headers={"Accept": "application/json"})


def mailed(email):
    for _ in range(200):
        mails = anybody.get_httpx_client().get("/_local/mail", params={"to": email}).text
        if found := re.search(r"email_id=(\d+)&(?:amp;)?secret_code=([0-9a-f]+)", mails):
            return VerifyEmailRequest(email_id=int(found[1]), secret_code=found[2])
        time.sleep(0.1)
    sys.exit(f"no mail came to {email}")


class Customer:
    def __init__(self, name):
        email = f"{name}@example.com"
        user = create_user.sync(client=anybody, body=CreateUserRequest(
            username=name, password=password, full_name="Generated Client", email=email))
        assert not user.is_email_verified, user
        verified = verify_email.sync_detailed(client=anybody, body=mailed(email))
        assert verified.status_code == 200, verified
        session = log_in.sync(client=anybody, body=LogInRequest(username=name, password=password))
        assert session.user.is_email_verified, session
        self.client = AuthenticatedClient(base_url=url, token=session.access_token, raise_on_unexpected_status=True)
        self.account = open_account.sync(client=self.client, body=OpenAccountRequest(currency=Currency.USD))
        assert isinstance(self.account, Account), self.account


payer, recipient = Customer(alice), Customer(bob)

key = str(uuid.uuid4())
for replayed in (None, "true"):
    answer = deposit.sync_detailed(
        payer.account.id, client=payer.client, idempotency_key=key, body=DepositRequest(amount=10_000))
    assert answer.parsed.account.balance == 10_000, answer
    assert answer.headers.get("Idempotent-Replayed") == replayed, answer


def transfer(amount):
    return create_transfer.sync(client=payer.client, idempotency_key=str(uuid.uuid4()), body=TransferRequest(
        from_account_id=payer.account.id, to_account_id=recipient.account.id, amount=amount, currency=Currency.USD))


paid = transfer(2_500)
assert isinstance(paid, Transferred) and paid.from_account.balance == 7_500, paid

history = list_entries.sync(recipient.account.id, client=recipient.client, limit=10)
assert isinstance(history, Entries) and history.next_cursor is None, history
assert [(entry.kind, entry.amount) for entry in history.entries] == [(EntryKind.TRANSFER, 2_500)], history
assert history.entries[0].transfer_id == paid.transfer.id, history

refused = transfer(7_501)
assert isinstance(refused, Problem) and refused.status == 422 and refused.code == "insufficient_funds", refused
print("done")
