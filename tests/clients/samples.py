"""The sample of each client library, run as a customer's program against a running shop.

    python3 tests/clients/samples.py rust=target/debug/examples/sample c=… 'python=python3 sdk/python/sample.py' …

Activate, validate, verify offline; the shop is gone and the license goes on; something else answers in its place and
is not believed; the shop is back; goodbye; money back. Every step is the same for each language, and must come to the
same state and code.
"""

import concurrent.futures
import json
import os
import subprocess
import sys
import time

from shop import ROOT, Shop
from stranger import Stranger

UNKNOWN_KEY = "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZG6Y"
MISTYPED_KEY = "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZG6Z"


class Sample:
    def __init__(self, name, command, shop, license):
        self.name = name
        self._command = command.split()
        self._shop = shop
        self._product = license["product"]
        self.key = license["key"]
        self.file = os.path.join(shop.folder, f"{name}.json")

    def does(self, command, state, code, *more, url=None):
        """Runs one command in a process of its own, at the shop or another address; insists on what it comes to."""
        url = url or self._shop.url
        arguments = [*self._command, url, self._product, self.file, command, *more]
        ran = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60)
        where = f"{self.name}: {command}: {ran.stdout}{ran.stderr}"
        try:
            outcome = json.loads(ran.stdout)
        except ValueError:
            raise SystemExit(where) from None
        well = state in ("valid", "grace", "released")
        if (outcome["state"], outcome["code"], ran.returncode) != (state, code, 0 if well else 1):
            raise SystemExit(f"{where}\n{self.name}: {command}: expected {state}, {code}; it ended with {ran.returncode}")
        if outcome["portal_url"] != f"{url}/portal" or len(outcome["message"]) < 10:
            raise SystemExit(where)
        return outcome


def main(commands):
    with Shop() as shop:
        order = shop.buy("lumen-pro", len(commands))
        samples = [
            Sample(*command.split("=", 1), shop, license)
            for command, license in zip(commands, order["licenses"], strict=True)
        ]
        for sample in samples:
            sample.does("status", "refused", "not_activated")
            sample.does("activate", "refused", "key_mistyped", MISTYPED_KEY)
            sample.does("activate", "refused", "unknown", UNKNOWN_KEY)
            outcome = sample.does("activate", "valid", "valid", sample.key)
            carried_days = (outcome["carries_until"] - time.time()) / 86_400
            if not outcome["features"] or carried_days < 1 or outcome["refresh_at"] >= outcome["carries_until"]:
                raise SystemExit(f"{sample.name}: {outcome}")
            if os.stat(sample.file).st_mode & 0o077:
                raise SystemExit(f"{sample.name}: others may read the key that is kept")
            sample.does("validate", "valid", "valid")
            sample.does("heartbeat", "valid", "valid")
            sample.does("status", "valid", "valid")
            print(f"{sample.name}: activated, and carried for {carried_days:.1f} days")
        seats = [shop.api(f"/v1/licenses/{license['id']}")["activations"] for license in order["licenses"]]
        names = [seat["name"] for taken in seats for seat in taken]
        if len(names) != len(samples):
            raise SystemExit(f"each license has one seat taken, not: {names}")

        shop.stop()
        for sample in samples:
            sample.does("validate", "grace", "network")
            sample.does("heartbeat", "grace", "network")
            sample.does("status", "valid", "valid")
            sample.does("refresh", "valid", "valid")
            sample.does("deactivate", "undetermined", "network")
            print(f"{sample.name}: goes on while the shop is gone")

        with Stranger() as stranger, concurrent.futures.ThreadPoolExecutor(len(samples)) as at_once:
            for name, code in stranger.answers.items():
                url = f"{stranger.url}/{name}"
                list(at_once.map(lambda sample: sample.does("validate", "grace", code, url=url), samples))
            print(f"nobody believes {', '.join(stranger.answers)}")

        shop.start()
        for sample in samples:
            sample.does("validate", "valid", "valid")
            sample.does("deactivate", "released", "released")
            sample.does("status", "refused", "not_activated")
            sample.does("activate", "valid", "valid", sample.key)
        shop.api(f"/v1/orders/{order['id']}/refunds", {"revoke": True})
        for sample in samples:
            sample.does("validate", "refused", "revoked")
            sample.does("status", "refused", "revoked")
            print(f"{sample.name}: gave its seat back, came again, and ended with the refund")


if __name__ == "__main__":
    main(sys.argv[1:])
