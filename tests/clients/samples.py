"""The sample of each client library, run as a customer's program against a running shop.

    python3 tests/clients/samples.py rust=target/debug/examples/sample c=… 'python=python3 sdk/python/sample.py' …

Activate, validate, verify offline; the shop is gone and the license goes on; something else answers in its place and
is not believed; the shop is back; goodbye; money back. Then the same without any network: a request is carried to the
shop's page and a license file back, the seat is given back by a request, and a revocation list ends it. Every step is the same for each language, and must come to the
same state and code.
"""

import concurrent.futures
import json
import os
import subprocess
import sys
import time

from shop import ROOT, Browser, Shop
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
        self.file = os.path.join(shop.folder, f"{name}-{self.key[:4]}.json")
        self._environment = os.environ.copy()

    def trusts(self, keys):
        """Has the shop's keys built in from now on."""
        self._environment["LATCHKEY_KEYS"] = keys

    def does(self, command, state, code, *more, url=None):
        """Runs one command in a process of its own, at the shop or another address; insists on what it comes to."""
        url = url or self._shop.url
        arguments = [*self._command, url, self._product, self.file, command, *more]
        ran = subprocess.run(arguments, cwd=ROOT, env=self._environment, capture_output=True, text=True, timeout=60)
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


def without_a_network(shop, commands):
    """The shop is stopped whenever a sample runs: all that reaches it is carried there by a browser."""
    order = shop.buy("lumen-pro", len(commands))
    keys = os.path.join(shop.folder, "jwks.json")
    with open(keys, "wb") as file:
        file.write(shop.fetch("/.well-known/jwks.json"))
    browser = Browser()
    samples = [
        Sample(*command.split("=", 1), shop, license)
        for command, license in zip(commands, order["licenses"], strict=True)
    ]
    shop.stop()
    for sample in samples:
        sample.trusts(keys)
        asked = sample.does("request_activation", "undetermined", "file_awaited", sample.key)
        sample.request = asked["request"]
        again = sample.does("request_activation", "undetermined", "file_awaited", sample.key)
        if again["request"] != sample.request:
            raise SystemExit(f"{sample.name}: asked twice, and got two requests")
        sample.does("status", "refused", "not_activated")

    shop.start()
    for sample in samples:
        for told in ("The device is activated", "had its seat already"):
            page = browser.post(f"{shop.url}/activate", {"request": f"{shop.url}/activate#{sample.request}"})
            if told not in page.text:
                raise SystemExit(f"{sample.name}: the page does not say that {told}: {page.text}")
        sample.license_file = os.path.join(shop.folder, f"{sample.name}.lic")
        with open(sample.license_file, "w", encoding="utf-8", newline="\r\n") as file:
            file.write(browser.post(f"{shop.url}/activate/file", {"request": sample.request}).text)
    if [seats_of(shop, license) for license in order["licenses"]] != [1] * len(samples):
        raise SystemExit("each request takes one seat")

    shop.stop()
    for sample in samples:
        sample.does("install", "valid", "valid", sample.license_file)
        sample.does("status", "valid", "valid")
        sample.does("validate", "grace", "network")
        sample.does("install", "valid", "valid", sample.license_file)
        sample.request = sample.does("request_release", "released", "released")["request"]
        if sample.key in sample.request:
            raise SystemExit(f"{sample.name}: a goodbye holds no key")
        sample.does("status", "refused", "not_activated")
        sample.does("install", "undetermined", "file_not_awaited", sample.license_file)
        print(f"{sample.name}: was activated by a file, and gave its seat back, without a network")

    shop.start()
    for sample in samples:
        for _ in range(2):
            page = browser.post(f"{shop.url}/activate", {"request": sample.request})
            if "The seat is free" not in page.text:
                raise SystemExit(f"{sample.name}: {page.text}")
    if [seats_of(shop, license) for license in order["licenses"]] != [0] * len(samples):
        raise SystemExit("each request gives one seat back")
    for sample in samples:
        sample.does("activate", "valid", "valid", sample.key)
    shop.api(f"/v1/orders/{order['id']}/refunds", {"revoke": True})
    revocations = os.path.join(shop.folder, "revocations.jwt")
    with open(revocations, "wb") as file:
        file.write(shop.fetch("/v1/licenses/revocations"))

    shop.stop()
    for sample in samples:
        sample.does("status", "valid", "valid")
        sample.does("check_revocations", "refused", "revoked", revocations)
        sample.does("status", "refused", "revoked")
        print(f"{sample.name}: ended with a revocation list that it carried")
    shop.start()


def seats_of(shop, license):
    return len(shop.api(f"/v1/licenses/{license['id']}")["activations"])


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
        without_a_network(shop, commands)


if __name__ == "__main__":
    main(sys.argv[1:])
